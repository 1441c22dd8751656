import { assertSchemaCompatibility, LATEST_SCHEMA_VERSION, runMigrations } from 'bullmq';
import type pg from 'pg';
import { schemaError } from '../ledger/schema-error.ts';

/** Makes or updates BullMQ's tables (schema `bullmq`) in the state database. Safe to run at every start, and by many at once. */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    // Only reads, so that nobody waits for a lock, nor needs a server that can be written to, where nothing is to be done.
    const version = await assertSchemaCompatibility(client).catch(() => 0);
    if (version < LATEST_SCHEMA_VERSION) await runMigrations(client);
  } catch (error) {
    throw await schemaError(error, client, 'bullmq');
  } finally {
    client.release();
  }
}
