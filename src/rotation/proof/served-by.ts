import { type Credential, credentialIn, usernameIn } from '../../formats/told-by.ts';
import { refusedAs } from '../../postgres/connection/refused-as.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { isPasswordRefused } from '../server-fault.ts';
import { proveLogin } from './prove-login.ts';

/**
 * The first destination whose readers may get in as a login. What it publishes is tried: where
 * PostgreSQL refuses its password, or lets nobody in as that login, a new one locks nobody out.
 */
export async function servedBy(view: PolicyView, login: string): Promise<OpenDestination | undefined> {
  for (const destination of view.destinations) {
    const { fields } = (await view.read(destination, 'current')) ?? {};
    if (!fields || usernameIn(fields) !== login) continue;
    if (!(await isShutOut(view, login, credentialIn(fields)))) return destination;
  }
  return undefined;
}

async function isShutOut(
  view: PolicyView,
  login: string,
  credential: Credential | undefined,
): Promise<boolean> {
  // A userlist, say, has no password to try. Without LOGIN nobody gets in, whatever it has.
  if (!credential) return !(await readLogins(await view.rotator(), [login])).get(login)?.canLogin;
  try {
    await using _session = await proveLogin(view, { credential });
    return false;
  } catch (error) {
    // Where pg_hba.conf keeps it out here, it may be let in elsewhere.
    if (isPasswordRefused(error) || refusedAs(error) === 'nologin') return true;
    throw error;
  }
}
