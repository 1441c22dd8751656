import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  MIGRATION_ADVISORY_LOCK_KEY,
  runMigrations,
} from 'bullmq';
import type pg from 'pg';
import { type Fault, fault } from '../facts/fault.ts';
import { besideOthers } from '../ledger/migrations/beside-others.ts';
import { refuseSharedSchema } from '../ledger/migrations/refuse-shared-schema.ts';
import { schemaError } from '../ledger/migrations/schema-error.ts';
import { isLockRefused } from '../postgres/locks/lock-fault.ts';
import { advisoryLockHolders, endingThem, holderInfo } from '../postgres/locks/lock-holders.ts';

/** How long another process that makes or updates the tables is waited for, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/**
 * Makes or updates BullMQ's tables (schema `bullmq`) in the state database. Safe to run at every
 * start, and by many at once. BullMQ does it under an advisory lock, which everybody who can
 * connect may hold. So keyturn does not ask for it when there is nothing to do, and otherwise waits
 * in bounded time. Throws `queue-tables-locked`, which names who holds it.
 */
export async function migrateQueue(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await refuseSharedSchema(client, 'bullmq');
    if (await isCurrent(client)) return;
    await client.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
    await besideOthers(() => runMigrations(client)).finally(() =>
      client.query('RESET lock_timeout').catch(() => {}),
    );
  } catch (error) {
    if (isLockRefused(error)) throw await heldUp(client, error);
    throw await schemaError(error, client, 'bullmq');
  } finally {
    client.release();
  }
}

async function isCurrent(client: pg.ClientBase): Promise<boolean> {
  // If the version cannot be read, the migration says why.
  const version = await assertSchemaCompatibility(client).catch(() => 0);
  return version >= LATEST_SCHEMA_VERSION;
}

async function heldUp(client: pg.ClientBase, cause: unknown): Promise<Fault> {
  const { rows } = await client.query<{ readonly schema: number }>(
    "SELECT pg_catalog.hashtext('bullmq'::pg_catalog.text) AS schema",
  );
  const key = (BigInt(MIGRATION_ADVISORY_LOCK_KEY) << 32n) | BigInt.asUintN(32, BigInt(rows[0]?.schema ?? 0));
  const holders = await advisoryLockHolders(client, key.toString());
  return fault(
    'queue-tables-locked',
    { holders: holders.map(holderInfo), seconds: LOCK_WAIT_MS / 1000 },
    { cause, remedies: endingThem(holders) },
  );
}
