import { runMigrations } from 'bullmq';
import type pg from 'pg';

/** Makes or updates BullMQ's tables (schema `bullmq`) in the state database. Safe to run at every start, and by many at once. */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
}
