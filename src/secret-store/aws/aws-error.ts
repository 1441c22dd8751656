import { Fault, fault } from '../../facts/fault.ts';
import type { AwsService, StoreFacts } from '../../facts/store-facts.ts';
import { PLAINTEXT_ERROR } from './aws-plaintext.ts';

type AwsFaultCode =
  | 'store-credentials-missing'
  | 'store-denied'
  | 'store-plaintext'
  | 'store-refused'
  | 'store-throttled'
  | 'store-unreachable'
  | 'secret-missing'
  | 'secret-versions-exhausted';

type Request = StoreFacts['store-denied'];

/** What the names of errors look like. */
const NAME = /^([A-Za-z]{0,60}(Error|Exception|Exceeded|Failure|Fault|TokenId|KeyId|Denied)|TooManyUpdates)$/;

/** By the names of errors of the SDK and of the service. */
const CODES: Readonly<Record<string, AwsFaultCode>> = {
  ResourceNotFoundException: 'secret-missing',
  ParameterNotFound: 'secret-missing',
  ThrottlingException: 'store-throttled',
  TooManyRequestsException: 'store-throttled',
  TooManyUpdates: 'store-throttled',
  LimitExceededException: 'secret-versions-exhausted',
  AccessDeniedException: 'store-denied',
  AccessDenied: 'store-denied',
  InvalidKeyId: 'store-denied',
  UnrecognizedClientException: 'store-denied',
  InvalidClientTokenId: 'store-denied',
  InvalidSignatureException: 'store-denied',
  ExpiredTokenException: 'store-denied',
  DecryptionFailure: 'store-denied',
  EncryptionFailure: 'store-denied',
  CredentialsProviderError: 'store-credentials-missing',
  InternalServiceError: 'store-unreachable',
  TimeoutError: 'store-unreachable',
  [PLAINTEXT_ERROR]: 'store-plaintext',
};

/**
 * What the SDK threw, as a fault that names the IAM action and the secret. Neither the SDK's
 * own error nor its message is kept: the message is the service's, or quotes its response, and
 * either may repeat a value (G3).
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
 */
export function awsError(
  error: unknown,
  { store, service, action, secret }: Omit<Request, 'detail'> & { readonly service: AwsService },
): Fault {
  // Of a role that could not be assumed.
  if (error instanceof Fault) return error;
  const { name, code, $metadata } = error as AwsFault;
  const called = known(name, NAME) ?? 'Error';
  const system = known(code, /^[A-Z][A-Z0-9_]{0,63}$/);
  const status = $metadata?.httpStatusCode;
  const request = known($metadata?.requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
  const storeCode = codeOf(called, system, status);
  if (storeCode === 'secret-missing' || storeCode === 'secret-versions-exhausted') {
    return fault(storeCode, { store, secret });
  }
  const places = [
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(request === undefined ? [] : [`request ${request}`]),
  ];
  const what = called.endsWith('Error') ? (system ?? called) : called;
  const detail = places.length === 0 ? what : `${what} (${places.join(', ')})`;
  // Left out for the service that was the only one for long, as the ledger has it.
  const which = service === 'secretsmanager' ? {} : { service };
  return fault(storeCode, { store, secret, action, detail, ...which });
}

interface AwsFault {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/**
 * The text, if it has the shape it should: name and request id are what the response said they are.
 */
function known(text: unknown, shape: RegExp): string | undefined {
  return typeof text === 'string' && shape.test(text) ? text : undefined;
}

function codeOf(name: string, system: string | undefined, status: number | undefined): AwsFaultCode {
  const code = CODES[name];
  if (code) return code;
  if (status === 429) return 'store-throttled';
  if (status !== undefined && status >= 500) return 'store-unreachable';
  if (/^(E[A-Z]+|UND_)/.test(system ?? '')) return 'store-unreachable';
  return 'store-refused';
}
