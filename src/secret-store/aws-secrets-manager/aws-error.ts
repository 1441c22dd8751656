import { StoreError, type StoreErrorKind } from '../store-error.ts';
import { PLAINTEXT_ERROR } from './aws-plaintext.ts';

const KINDS: Readonly<Record<string, StoreErrorKind>> = {
  ResourceNotFoundException: 'missing',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  AccessDeniedException: 'denied',
  UnrecognizedClientException: 'denied',
  InvalidClientTokenId: 'denied',
  InvalidSignatureException: 'denied',
  ExpiredTokenException: 'denied',
  CredentialsProviderError: 'denied',
  DecryptionFailure: 'denied',
  EncryptionFailure: 'denied',
  InternalServiceError: 'unreachable',
  TimeoutError: 'unreachable',
};

/**
 * What the SDK threw, as a StoreError that names the IAM action and the secret. Neither the SDK's own error nor its
 * message is kept: the message is the service's, or quotes its response, and either may repeat a value (G3).
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
 */
export function awsError(error: unknown, store: string, action: string, secret: string): StoreError {
  const { name, code, $metadata } = error as AwsFault;
  const fault = known(name, /^[A-Za-z]{0,60}(Error|Exception|Exceeded|Failure|Fault|TokenId)$/) ?? 'Error';
  const system = known(code, /^[A-Z][A-Z0-9_]{0,63}$/);
  const status = $metadata?.httpStatusCode;
  const request = known($metadata?.requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
  const details = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(request === undefined ? [] : [`request ${request}`]),
  ];
  const what = fault.endsWith('Error') ? (system ?? fault) : fault;
  const told = details.length === 0 ? what : `${what} (${details.join(', ')})`;
  const kind = kindOf(fault, system, status);
  return new StoreError(
    kind,
    `The store ${store}: ${action} of ${secret}: ${told}; ${remedyOf(kind, fault, action)}`,
  );
}

interface AwsFault {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** The text, if it has the shape it should: name and request id, too, are what the response said they are. */
function known(text: unknown, shape: RegExp): string | undefined {
  return typeof text === 'string' && shape.test(text) ? text : undefined;
}

function kindOf(name: string, code: string | undefined, status: number | undefined): StoreErrorKind {
  const kind = KINDS[name];
  if (kind) return kind;
  if (status === 429) return 'throttled';
  if (status !== undefined && status >= 500) return 'unreachable';
  if (/^(E[A-Z]+|UND_)/.test(code ?? '')) return 'unreachable';
  return 'invalid';
}

function remedyOf(kind: StoreErrorKind, name: string, action: string): string {
  switch (kind) {
    case 'missing':
      return 'make the secret, or set create: true';
    case 'denied':
      return name === 'CredentialsProviderError'
        ? "give keyturn credentials by one of the ways of the AWS SDK's default chain"
        : `allow secretsmanager:${action}, and its KMS key, to the identity that keyturn runs as`;
    case 'throttled':
    case 'conflict':
      return 'it is tried again';
    case 'unreachable':
      return 'check the network, the region and the endpoint; it is tried again';
    case 'invalid':
      if (name === PLAINTEXT_ERROR) {
        return 'the endpoint of its AWS profile begins with http://; give it https://, or the store tls: { mode: disable }';
      }
      return 'correct the secret or the configuration';
  }
}
