import { inspect } from 'node:util';

/**
 * What an application logs in with: one version of it, so username and password belong together.
 * It is frozen. Printing it or turning it into JSON does not show the password.
 */
export interface Credential {
  readonly username: string;
  readonly password: string;
  /** Which version it is, as its source calls it; undefined where that has no versions. */
  readonly version: string | undefined;
}

export function credentialOf({ username, password, version }: Credential): Credential {
  const credential = { username, password, version };
  const shown = () => ({ username, password: '***', version });
  for (const name of [inspect.custom, 'toJSON']) Object.defineProperty(credential, name, { value: shown });
  return Object.freeze(credential);
}

/** Whether two log in with the same name and password, of whatever version they are. */
export function isSameLogin(one: Credential | undefined, other: Credential | undefined): boolean {
  return one?.username === other?.username && one?.password === other?.password;
}
