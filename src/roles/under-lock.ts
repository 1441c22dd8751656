import type pg from 'pg';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { isConcurrentUpdate, isLockRefused } from '../postgres/locks/lock-fault.ts';
import { advisoryLockHolders, describeHolder, howToEnd } from '../postgres/locks/lock-holders.ts';
import { lockKey } from '../postgres/locks/lock-key.ts';
import { LOCK_WAIT_MS, limitLockWaits } from '../postgres/locks/lock-waits.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { Refusal } from '../rotation/refusal.ts';

/**
 * Runs `body` in a transaction that holds the policy's lock and, as two grants on one thing would collide, the one for
 * changes of roles in this database. Throws a Refusal when another session is in the way: when a rotation has the
 * policy's lock at this instant, when a lock is not to be had in time, or when something was altered side by side.
 */
export async function underLock<Result>(
  client: pg.ClientBase,
  logins: readonly string[],
  body: () => Promise<Result>,
): Promise<Result> {
  try {
    return await withPolicyLock(client, logins, async () => {
      await takeTurn(client);
      return await body();
    });
  } catch (error) {
    const obstacle = obstacleOf(error, logins);
    if (obstacle === undefined) throw error;
    throw new Refusal(obstacle, { cause: error });
  }
}

/** Throws a DatabaseError that names who has the turn, after bounded time: any login of the database may take this lock. */
async function takeTurn(client: pg.ClientBase): Promise<void> {
  const key = lockKey(['keyturn roles']);
  await client.query('SAVEPOINT keyturn_turn');
  try {
    await client.query(
      `${limitLockWaits()}; SELECT pg_catalog.pg_advisory_xact_lock(${key}::pg_catalog.int8)`,
    );
  } catch (cause) {
    if (!isLockRefused(cause)) throw cause;
    await client.query('ROLLBACK TO SAVEPOINT keyturn_turn');
    const holders = await advisoryLockHolders(client, key);
    const who = holders.map(describeHolder).join('; ') || 'another session';
    throw new DatabaseError(
      'locked',
      `the lock for changes of roles in this database is held by ${who}${howToEnd(holders)}`,
      { cause },
    );
  }
}

/** Undefined where it is not another session that was in the way. */
function obstacleOf(error: unknown, logins: readonly string[]): string | undefined {
  const { message } = error as Error;
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof DatabaseError && each.kind === 'locked') {
      return `Another session is changing the logins ${logins.join(' and ')} right now, so nothing was done; run it again in a moment (${each.message})`;
    }
    if (isLockRefused(each)) {
      return `A lock that another session holds was not to be had within ${LOCK_WAIT_MS / 1000} s, so nothing was done; run it again once that is over (${message})`;
    }
    // Somebody else's GRANT on the same thing.
    if (isConcurrentUpdate(each)) {
      return `Another session altered the same at the same time, so nothing was done; run it again (${message})`;
    }
  }
  return undefined;
}
