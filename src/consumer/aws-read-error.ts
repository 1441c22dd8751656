import { CredentialError, type CredentialErrorCode } from './credential-error.ts';

export const PLAINTEXT = 'PlaintextEndpointError';

const CODES: Readonly<Record<string, CredentialErrorCode>> = {
  AccessDeniedException: 'source-denied',
  UnrecognizedClientException: 'source-denied',
  InvalidClientTokenId: 'source-denied',
  InvalidSignatureException: 'source-denied',
  ExpiredTokenException: 'source-denied',
  CredentialsProviderError: 'source-denied',
  DecryptionFailure: 'source-denied',
  [PLAINTEXT]: 'source-plaintext',
};

/**
 * What the SDK threw. Only the name of the error and the HTTP status are kept, because a message
 * of the service may repeat a value.
 */
export function awsReadError(error: unknown, secret: string): CredentialError {
  const { name, $metadata } = error as {
    readonly name?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const called = typeof name === 'string' && /^[A-Za-z]{1,60}$/.test(name) ? name : 'Error';
  const status = $metadata?.httpStatusCode;
  const detail = status === undefined ? called : `${called} (HTTP ${status})`;
  return new CredentialError(CODES[called] ?? 'source-unreachable', {
    action: 'secretsmanager:GetSecretValue',
    secret,
    detail,
  });
}
