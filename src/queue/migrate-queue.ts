import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  MIGRATION_ADVISORY_LOCK_KEY,
  runMigrations,
} from 'bullmq';
import type pg from 'pg';
import { refuseSharedSchema } from '../ledger/refuse-shared-schema.ts';
import { schemaError } from '../ledger/schema-error.ts';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { isLockRefused } from '../postgres/locks/lock-fault.ts';
import { advisoryLockHolders, describeHolder, howToEnd } from '../postgres/locks/lock-holders.ts';

/** How long another process that makes or updates the tables is waited for, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/**
 * Makes or updates BullMQ's tables (schema `bullmq`) in the state database. Safe to run at every
 * start, and by many at once. BullMQ does it under an advisory lock, which everybody who can
 * connect may hold: where there is nothing to do, it is not asked for; else it is waited for in
 * bounded time. Throws a DatabaseError that names who holds it.
 */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await refuseSharedSchema(client, 'bullmq');
    if (await isCurrent(client)) return;
    await client.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    await runMigrations(client).finally(() => client.query('RESET lock_timeout').catch(() => {}));
  } catch (error) {
    if (isLockRefused(error)) throw await heldUp(client, error);
    throw await schemaError(error, client, 'bullmq');
  } finally {
    client.release();
  }
}

async function isCurrent(client: pg.ClientBase): Promise<boolean> {
  // Where it cannot be told, the migration says why.
  const version = await assertSchemaCompatibility(client).catch(() => 0);
  return version >= LATEST_SCHEMA_VERSION;
}

async function heldUp(client: pg.ClientBase, cause: unknown): Promise<DatabaseError> {
  const { rows } = await client.query("SELECT pg_catalog.hashtext('bullmq'::pg_catalog.text) AS schema");
  const key = (BigInt(MIGRATION_ADVISORY_LOCK_KEY) << 32n) | BigInt.asUintN(32, BigInt(rows[0].schema));
  const holders = await advisoryLockHolders(client, key.toString());
  const who = holders.length === 0 ? 'another session' : holders.map(describeHolder).join('; ');
  return new DatabaseError(
    'locked',
    `the tables in schema bullmq of the state database cannot be made or updated, because their lock is held by ${who}, for longer than ${LOCK_WAIT_MS / 1000} s; try again once that is over${howToEnd(holders)}`,
    { cause },
  );
}
