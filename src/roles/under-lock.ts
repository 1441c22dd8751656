import type pg from 'pg';
import { type Fault, factOf, fault, isFault } from '../facts/fault.ts';
import { isForbidden } from '../postgres/connection/database-error.ts';
import {
  isConcurrentUpdate,
  isLockRefused,
  LOCK_WAIT_MS,
  limitLockWaits,
} from '../postgres/locks/lock-fault.ts';
import { advisoryLockHolders, endingThem, holderInfo, lockKey } from '../postgres/locks/lock-holders.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { refuseUnlockable } from './missing-rights.ts';

/**
 * Runs `body` in a transaction that holds the policy's lock and, because two grants on one object
 * would collide, the one for changes of roles in this database. Throws a fault when another session
 * is in the way: when a rotation holds the policy's lock, when a lock is not released in time, or
 * when another session changed the same.
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
    if (isForbidden(error)) await refuseUnlockable(client, logins);
    throw obstacleOf(error, logins) ?? error;
  }
}

/**
 * Throws a fault that names who has the turn, after bounded time: any login of the database may
 * take this lock.
 */
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
    const remedies = endingThem(holders);
    throw fault('roles-turn-taken', { holders: holders.map(holderInfo) }, { cause, remedies });
  }
}

/** Undefined where it was not another session that was in the way. */
function obstacleOf(error: unknown, logins: readonly string[]): Fault | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    // A lock of keyturn's own: the policy's, or that of changes of roles.
    if (isFault(each, 'lock-held', 'lock-lost', 'login-row-locked', 'roles-turn-taken')) {
      return fault('roles-locked', { logins, cause: each.fact }, { cause: error });
    }
    const cause = factOf(error);
    if (isLockRefused(each)) {
      return fault('roles-lock-timeout', { seconds: LOCK_WAIT_MS / 1000, cause }, { cause: error });
    }
    // Another session's GRANT on the same object.
    if (isConcurrentUpdate(each)) return fault('roles-changed-concurrently', { cause }, { cause: error });
  }
  return undefined;
}
