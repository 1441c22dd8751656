import type pg from 'pg';
import { type Fault, fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { inTransaction } from '../../postgres/connection/in-transaction.ts';
import { isLockRefused } from '../../postgres/locks/lock-fault.ts';
import { holderInfo, tableLockHolders } from '../../postgres/locks/lock-holders.ts';
import { terminations } from '../../postgres/sessions/sessions.ts';
import { besideOthers } from './beside-others.ts';
import { MIGRATIONS } from './migrations.ts';
import { refuseSharedSchema } from './refuse-shared-schema.ts';
import { schemaError } from './schema-error.ts';

/** How long another process that makes or updates the tables is waited for, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/** A migration may rewrite a long history. For pg, whose types do not know it: milliseconds. */
const LONG = { query_timeout: 3_600_000 };

/**
 * Brings the ledger's tables in schema `keyturn` to this release's version, forwards only. Where
 * they have it, which is the ordinary start, nothing is locked or written, so a standby server will
 * do. Else a lock on the table of versions makes several processes take turns: only roles with
 * rights on that table can take it. Throws a fault `ledger-newer` when the ledger was made by a
 * newer release, `state-tables-forbidden` where a right is missing, and `ledger-tables-locked`
 * where somebody holds the lock.
 */
export async function migrateLedger(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await refuseSharedSchema(client, 'keyturn');
    if ((await appliedVersion(client)) === MIGRATIONS.length) return;
    await besideOthers(() => inTransaction(client, () => migrate(client)));
  } catch (error) {
    if (isLockRefused(error)) throw await heldUp(client, error);
    throw await schemaError(error, client, 'keyturn');
  } finally {
    client.release();
  }
}

/** The version of the tables; undefined where there are none, or where this role may not see it. */
async function appliedVersion(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ readonly readable: boolean }>(
    `SELECT pg_catalog.has_schema_privilege(space.oid, 'USAGE'::pg_catalog.text)
            AND pg_catalog.has_table_privilege(relation.oid, 'SELECT'::pg_catalog.text) AS readable
       FROM pg_catalog.pg_class AS relation
       JOIN pg_catalog.pg_namespace AS space ON space.oid = relation.relnamespace
      WHERE space.nspname = 'keyturn'::pg_catalog.name AND relation.relname = 'migration'::pg_catalog.name`,
  );
  if (rows[0]?.readable !== true) return undefined;
  return readVersion(client);
}

async function readVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ readonly version: number }>(
    'SELECT coalesce(pg_catalog.max(version), 0) AS version FROM keyturn.migration',
  );
  return rows[0]?.version ?? 0;
}

async function migrate(client: pg.ClientBase): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`);
  await client.query('CREATE SCHEMA IF NOT EXISTS keyturn');
  await client.query(
    'CREATE TABLE IF NOT EXISTS keyturn.migration (version int PRIMARY KEY, applied_at pg_catalog.timestamptz NOT NULL)',
  );
  await client.query('LOCK TABLE keyturn.migration IN SHARE ROW EXCLUSIVE MODE');
  const applied = await readVersion(client);
  if (applied > MIGRATIONS.length) {
    throw fault('ledger-newer', { version: applied, known: MIGRATIONS.length });
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < applied) continue;
    await client.query({ text: sql, ...LONG } as pg.QueryConfig);
    await client.query('INSERT INTO keyturn.migration VALUES ($1, pg_catalog.now())', [index + 1]);
  }
}

/** Another keyturn migrates within moments, so whoever still holds the lock does something else. */
async function heldUp(client: pg.ClientBase, cause: unknown): Promise<Fault> {
  const holders = await tableLockHolders(client, 'keyturn.migration').catch(() => []);
  const ends = terminations(holders.flatMap(({ pid }) => pid ?? []));
  return fault(
    'ledger-tables-locked',
    { holders: holders.map(holderInfo), seconds: LOCK_WAIT_MS / 1000 },
    { cause, remedies: ends.length > 0 ? [sql(...ends)] : [] },
  );
}
