import type pg from 'pg';
import { DatabaseError } from '../postgres/database-error.ts';
import { withPolicyLock } from '../postgres/policy-lock.ts';
import { Refusal } from '../rotation/refusal.ts';

/** Runs `body` in a transaction that holds the policy's lock. Throws a Refusal when a rotation has it at this instant. */
export async function underLock<Result>(
  client: pg.ClientBase,
  logins: readonly string[],
  body: () => Promise<Result>,
): Promise<Result> {
  try {
    return await withPolicyLock(client, logins, body);
  } catch (error) {
    if (!(error instanceof DatabaseError && error.kind === 'locked')) throw error;
    throw new Refusal(
      `Another session is changing the logins ${logins.join(' and ')} right now, so nothing was done; run it again in a moment`,
      { cause: error },
    );
  }
}
