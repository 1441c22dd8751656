import type { SecretName } from '../policy.ts';

/** `name`, or `name#key` for one key of a secret that holds a JSON object. */
export const SECRET_NAME = /^(.+#)?[^#]+$/;

/** Splits at the last `#`: an ARN or a file name may contain anything else. */
export function parseSecretName(text: string): SecretName {
  const hash = text.lastIndexOf('#');
  return hash === -1 ? { secret: text } : { secret: text.slice(0, hash), key: text.slice(hash + 1) };
}
