import { CredentialError } from './credential-error.ts';

/** A secret, or one key of a secret that holds a JSON object. */
export interface SecretReference {
  readonly secret: string;
  readonly key: string | undefined;
}

/** Splits `name#key` at the last `#`, as the configuration does. */
export function secretReference(text: unknown): SecretReference {
  if (typeof text !== 'string' || !/^(.+#)?[^#]+$/.test(text)) {
    throw new CredentialError('secret-name-invalid', { secret: String(text) });
  }
  const hash = text.lastIndexOf('#');
  return hash === -1
    ? { secret: text, key: undefined }
    : { secret: text.slice(0, hash), key: text.slice(hash + 1) };
}

/** The value in the content of a secret. */
export function valueIn(content: string, { secret, key }: SecretReference): string {
  if (content === '') throw new CredentialError('secret-empty', { secret });
  if (key === undefined) return content;
  const value = parseObject(content, secret)[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new CredentialError('key-missing', { secret, key });
}

function parseObject(content: string, secret: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    // The parser's own error quotes the content.
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new CredentialError('secret-not-json', { secret });
  }
  // JSON.parse makes objects with string keys.
  return parsed as Record<string, unknown>;
}
