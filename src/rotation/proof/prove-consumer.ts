import type pg from 'pg';
import type { Policy } from '../../config/policy.ts';
import { Fault, fault, isFault } from '../../facts/fault.ts';
import { databaseError } from '../../postgres/connection/database-error.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { isKeptOut } from '../server-fault.ts';
import { type Proof, proveLogin } from './prove-login.ts';

/**
 * Logs in as a consumer does, and ends the session. Throws what `proveLogin` throws, and a fault
 * `current-user-differs` where the session does not act as the policy says.
 */
export async function proveConsumer(view: PolicyView, proof: Proof): Promise<void> {
  const { server = view.connection, credential } = proof;
  await using session = await proveLogin(view, proof);
  try {
    await refuseOtherUser(session.client, { policy: view.policy, login: credential.username });
  } catch (error) {
    throw error instanceof Fault ? error : databaseError(error, placeOf(server));
  }
}

/** Throws where a session of a login acts as another role than the policy says. */
export async function refuseOtherUser(
  client: pg.ClientBase,
  { policy, login }: { readonly policy: Policy; readonly login: string },
): Promise<void> {
  const { rows } = await client.query<{ readonly name: string }>('SELECT current_user AS name');
  const owner = policy.type === 'logins' ? policy.owner : undefined;
  const expected = owner ?? login;
  const currentUser = String(rows[0]?.name);
  if (currentUser === expected) return;
  throw fault('current-user-differs', { login, currentUser, expected, owner: owner ?? null });
}

/** Whether a consumer cannot work with a credential, for what its login may or has. */
export function isOfNoUse(error: unknown): boolean {
  return isKeptOut(error) || isFault(error, 'current-user-differs');
}
