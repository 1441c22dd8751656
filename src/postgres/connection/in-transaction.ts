import type pg from 'pg';

/**
 * Runs `body` in a transaction, which is committed when it is done, and rolled back when it throws.
 */
export async function inTransaction<Result>(
  client: pg.ClientBase,
  body: () => Promise<Result>,
): Promise<Result> {
  await client.query('BEGIN');
  return committing(client, body);
}

/** The same where `body` begins the transaction itself, in one message with what it does first. */
export async function committing<Result>(
  client: pg.ClientBase,
  body: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await body();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
