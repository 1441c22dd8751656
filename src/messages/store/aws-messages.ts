import type { StoreFacts } from '../../facts/store-facts.ts';
import type { Messages } from '../message.ts';

type AwsRequest = StoreFacts['store-denied'];
type AwsCode =
  | 'store-credentials-missing'
  | 'store-denied'
  | 'store-plaintext'
  | 'store-refused'
  | 'store-throttled'
  | 'store-unreachable';

const requested = ({ store, action, secret, detail }: AwsRequest) =>
  `The store ${store}: ${action} of ${secret}: ${detail}`;

function example(detail: string): AwsRequest {
  return { store: 'aws', action: 'PutSecretValue', secret: 'prod/orders/db', detail };
}

export const awsMessages: Messages<
  Pick<
    StoreFacts,
    AwsCode | 'secret-deleted' | 'secret-binary' | 'parameter-in-plaintext' | 'secret-versions-exhausted'
  >
> = {
  'store-unreachable': {
    text: requested,
    advice: 'check the network and the address of the store; it is tried again',
    means: 'The store did not answer, or answered with a fault of its own.',
    example: example('ECONNREFUSED'),
  },
  'store-throttled': {
    text: requested,
    advice: 'it is tried again',
    means: 'The store takes fewer requests than were sent. keyturn tries again more slowly.',
    example: example('ThrottlingException (HTTP 400)'),
  },
  'store-denied': {
    text: requested,
    advice: ({ action, service = 'secretsmanager' }) =>
      service === 'sts'
        ? 'allow sts:AssumeRole of that role to the identity that keyturn runs as, in its policy and in the trust policy of the role'
        : `allow ${service}:${action}, and its KMS key, to the identity that keyturn runs as`,
    means:
      'IAM, a resource policy or the KMS key of the secret does not allow the action to the identity that keyturn runs as.',
    example: example('AccessDeniedException (HTTP 400)'),
  },
  'store-credentials-missing': {
    text: requested,
    advice: "give keyturn credentials by one of the ways of the AWS SDK's default chain",
    means:
      'The AWS SDK found no credentials: neither in the environment, nor in a profile, nor from the machine or the container.',
    example: example('CredentialsProviderError'),
  },
  'store-plaintext': {
    text: requested,
    advice:
      'the endpoint of its AWS profile begins with http://; give it https://, or the store tls: { mode: disable }',
    means:
      'The endpoint is not loopback and would get passwords in plaintext. keyturn sends nothing there, unless the configuration says so.',
    example: example('PlaintextEndpointError'),
  },
  'store-refused': {
    text: requested,
    advice: 'correct the secret or the configuration',
    means:
      'The store refused the request for another reason. Its own words are not shown, because they may repeat a value. On AWS, look up the request in CloudTrail.',
    example: example('InvalidRequestException (HTTP 400)'),
  },
  'secret-deleted': {
    text: ({ store, secret }) => `The store ${store}: the secret ${secret} is marked for deletion`,
    advice: ({ secret }) =>
      `restore it, which keyturn never does by itself: aws secretsmanager restore-secret --secret-id ${secret}`,
    means: 'Somebody deleted the secret, and it is in its recovery window.',
    example: { store: 'aws', secret: 'prod/orders/db' },
  },
  'secret-binary': {
    text: ({ store, secret }) => `The store ${store}: the secret ${secret} holds binary content`,
    advice: 'give it a string, or map another secret',
    means: 'The secret has a `SecretBinary`. keyturn reads and writes `SecretString` only.',
    example: { store: 'aws', secret: 'prod/orders/db' },
  },
  'secret-versions-exhausted': {
    text: ({ store, secret }) =>
      `The store ${store}: the secret ${secret} has as many versions as the service keeps`,
    advice: 'it is tried again; rotate less often, and run doctor less often',
    means:
      'AWS Secrets Manager keeps about 100 versions of a secret, and removes those without a label after a day. keyturn labels three at most, so this passes.',
    example: { store: 'aws', secret: 'prod/orders/db' },
  },
  'parameter-in-plaintext': {
    text: ({ store, secret }) => `The store ${store}: the parameter ${secret} is no SecureString`,
    advice:
      'delete it and let keyturn make it with create: true; the service does not let a parameter change its type',
    means:
      'A parameter of type String or StringList is kept without encryption. keyturn reads and writes `SecureString` only.',
    example: { store: 'parameters', secret: '/orders/password' },
  },
};
