import type pg from 'pg';
import { isForbidden } from './database-error.ts';

/**
 * Runs a statement in a savepoint. Undefined if the role may not run it: then the transaction goes
 * on.
 */
export async function unlessForbidden<Result>(
  client: pg.ClientBase,
  run: () => Promise<Result>,
): Promise<Result | undefined> {
  await client.query('SAVEPOINT keyturn_try');
  try {
    const result = await run();
    await client.query('RELEASE SAVEPOINT keyturn_try');
    return result;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT keyturn_try');
    return undefined;
  }
}
