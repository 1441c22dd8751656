import type { Fields } from '../../secret-store/secret-store.ts';
import type { Credential } from './policy-view.ts';

/**
 * The credential that a destination publishes, possibly in its URL only. Undefined if it has none,
 * or if keyturn did not write the URL.
 */
export function credentialIn({ username, password, url }: Fields): Credential | undefined {
  if (username !== undefined && password !== undefined) return { username, password };
  const [, user, secret] = /^\w+:\/\/([^:@/]*):([^@/]*)@/.exec(url ?? '') ?? [];
  if (user === undefined || secret === undefined) return undefined;
  try {
    return { username: decodeURIComponent(user), password: decodeURIComponent(secret) };
  } catch {
    return undefined;
  }
}
