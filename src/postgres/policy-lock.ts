import type pg from 'pg';
import { DatabaseError } from './database-error.ts';
import { inTransaction } from './in-transaction.ts';
import { lockKey } from './lock-key.ts';

/**
 * Runs `body` in a transaction that holds the advisory lock of a policy's logins, then commits. The lock lives in the
 * target database on the very session that alters the roles, so a worker that lost its job cannot alter anything
 * once another took over. Throws a DatabaseError of kind `locked` when another session holds it.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export async function withPolicyLock<Result>(
  client: pg.ClientBase,
  logins: readonly string[],
  body: () => Promise<Result>,
): Promise<Result> {
  return inTransaction(client, async () => {
    const { rows } = await client.query('SELECT pg_catalog.pg_try_advisory_xact_lock($1) AS held', [
      // By the logins, not by the policy's name: it is they who must not be altered twice, whoever configured them.
      lockKey(['keyturn', ...logins.toSorted()]),
    ]);
    if (rows[0]?.held !== true) {
      throw new DatabaseError(
        'locked',
        `Another session is changing ${logins.join(' and ')} right now; it is tried again`,
      );
    }
    return body();
  });
}
