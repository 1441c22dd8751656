import { credentialIn } from '../../formats/told-by.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import type { OpenDestination } from '../context/policy-view.ts';
import type { Preview } from '../context/rotation-view.ts';
import { refuse } from '../findings/refuse.ts';
import { serverFindings } from '../findings/server-findings.ts';
import { proveLogin } from '../proof/prove-login.ts';

/** A version that is pending, and has the rotator's password. */
export interface PendingInUse {
  readonly destination: OpenDestination;
  readonly token: string | undefined;
}

/**
 * Where the rotator's password is pending, which must not be discarded then; undefined: nowhere,
 * and another is proven to be its password at this instant. That PostgreSQL refuses a pending one
 * proves nothing: it refuses the right one too where the role has NOLOGIN, its VALID UNTIL is over
 * or pg_hba.conf has no entry for it. Throws where none is let in (G6).
 */
export async function pendingInUse(context: Preview): Promise<PendingInUse | undefined> {
  const rotator = context.policy.logins[0];
  const inUse = await passwordInUse(context);
  for (const destination of context.destinations) {
    const pending = await context.read(destination, 'pending');
    const credential = credentialIn(pending?.fields ?? {});
    if (credential?.username !== rotator || credential.password !== inUse) continue;
    return { destination, token: pending?.token };
  }
  return undefined;
}

function passwordInUse(context: Preview): Promise<string> {
  const { connection } = context;
  const username = context.policy.logins[0];
  async function prove(password: string): Promise<string> {
    await using session = await proveLogin(context, { credential: { username, password } });
    // A standby may still have the password of before.
    refuse(serverFindings(connection, await readServer(session.client)));
    return password;
  }
  return connection.withPassword?.(connection, prove) ?? prove(connection.password ?? '');
}
