import type pg from 'pg';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { inTransaction } from '../postgres/connection/in-transaction.ts';
import { isLockRefused } from '../postgres/locks/lock-fault.ts';
import { describeHolder, howToEnd, tableLockHolders } from '../postgres/locks/lock-holders.ts';
import { refuseSharedSchema } from './refuse-shared-schema.ts';
import { schemaError } from './schema-error.ts';

/** How long another process that makes or updates the tables is waited for, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/** Each entry brings the ledger one version further. Entries are never edited, only added. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE keyturn.policy (
    name text PRIMARY KEY,
    first_seen_at timestamptz NOT NULL
  );

  CREATE TABLE keyturn.rotation (
    id uuid PRIMARY KEY,
    policy text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('first', 'schedule', 'manual', 'emergency')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    slot timestamptz,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    incoming text,
    outgoing text,
    published_at timestamptz,
    finished_at timestamptz,
    attempts int NOT NULL DEFAULT 0,
    last_error text
  );
  CREATE UNIQUE INDEX rotation_one_open ON keyturn.rotation (policy) WHERE status = 'open';
  CREATE UNIQUE INDEX rotation_one_per_slot ON keyturn.rotation (policy, slot) WHERE status <> 'failed';
  CREATE INDEX rotation_latest ON keyturn.rotation (policy, requested_at DESC);

  CREATE TABLE keyturn.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rotation uuid NOT NULL REFERENCES keyturn.rotation,
    at timestamptz NOT NULL,
    step text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('started', 'done', 'waiting', 'failed')),
    detail text
  );
  CREATE UNIQUE INDEX event_once ON keyturn.event (rotation, step, kind) WHERE kind IN ('started', 'done');
  CREATE INDEX event_by_rotation ON keyturn.event (rotation, id);
  `,
  // Pauses; and indexes that answer what the sweep asks of each policy without reading its history.
  `
  ALTER TABLE keyturn.policy ADD COLUMN paused_at timestamptz, ADD COLUMN paused_by text;
  CREATE INDEX rotation_finished ON keyturn.rotation (policy, status, finished_at DESC) WHERE status <> 'open';
  CREATE INDEX rotation_asked ON keyturn.rotation (policy, requested_at DESC) WHERE status = 'done' AND slot IS NULL;
  `,
  // A rotation that is on its way back: who said so, and the version that becomes current again.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN rolled_back_by text, ADD COLUMN rolled_back_to text;
  ALTER TABLE keyturn.event ADD COLUMN back boolean NOT NULL DEFAULT false;
  DROP INDEX keyturn.event_once;
  CREATE UNIQUE INDEX event_once ON keyturn.event (rotation, step, kind, back) WHERE kind IN ('started', 'done');
  `,
  // Warnings: what stops nothing and yet must be told, once for each rotation.
  `
  ALTER TABLE keyturn.event DROP CONSTRAINT event_kind_check,
    ADD CONSTRAINT event_kind_check CHECK (kind IN ('started', 'done', 'waiting', 'failed', 'warning'));
  CREATE UNIQUE INDEX event_warning_once ON keyturn.event (rotation, step, md5(detail)) WHERE kind = 'warning';
  `,
  // Rotations that take over what was changed outside, and those that were opened in the place of another.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN adopt boolean NOT NULL DEFAULT false,
    ADD COLUMN replaces uuid REFERENCES keyturn.rotation;
  `,
  // What was made, mended and dropped of the roles of a policy, and what they are meant to be.
  `
  CREATE TABLE keyturn.provision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('create', 'repair', 'drop')),
    connection text NOT NULL,
    logins text[] NOT NULL,
    owner text,
    access text,
    schemas text[] NOT NULL,
    made text[] NOT NULL,
    dropped text[] NOT NULL,
    deactivated text[] NOT NULL,
    requested_by text NOT NULL,
    at timestamptz NOT NULL
  );
  CREATE INDEX provision_latest ON keyturn.provision (policy, id DESC);
  `,
  // The order in which rotations were opened. Instants do not tell it: a clock may have been wrong meanwhile.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN number bigint;
  UPDATE keyturn.rotation AS rotation SET number = counted.number
    FROM (SELECT id, pg_catalog.row_number() OVER (ORDER BY requested_at, finished_at) AS number FROM keyturn.rotation) AS counted
   WHERE counted.id = rotation.id;
  ALTER TABLE keyturn.rotation ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;
  SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('keyturn.rotation', 'number'),
                (SELECT coalesce(pg_catalog.max(number), 0) + 1 FROM keyturn.rotation), false);
  CREATE INDEX rotation_newest ON keyturn.rotation (policy, number DESC);
  `,
];

/** A migration may rewrite a long history. For pg, whose types do not know it: milliseconds. */
const LONG = { query_timeout: 3_600_000 };
/** How often tables that another process makes at the same instant are looked for again. */
const ATTEMPTS = 5;

/**
 * Brings the ledger's tables in schema `keyturn` to this release's version, forwards only. Where they
 * have it, which is the ordinary start, nothing is locked or written, so a standby server will do. Else
 * a lock on the table of versions makes several processes take turns: nobody gets it who has no rights
 * on that table. Throws when the ledger was made by a newer release, and a DatabaseError where a right
 * is missing, or where somebody holds the lock, which names them.
 */
export async function migrateLedger(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await refuseSharedSchema(client, 'keyturn');
    if ((await appliedVersion(client)) === MIGRATIONS.length) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(client, () => migrate(client));
      } catch (error) {
        if (isLockRefused(error)) throw await heldUp(client, error);
        if (!isMadeByAnother(error) || attempt === ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    throw await schemaError(error, client, 'keyturn');
  } finally {
    client.release();
  }
}

/** Which version is there, as far as this role may see it; undefined where there is none yet. */
async function appliedVersion(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query(
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
  const { rows } = await client.query(
    'SELECT coalesce(pg_catalog.max(version), 0) AS version FROM keyturn.migration',
  );
  return rows[0].version;
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
    throw new Error(
      `The ledger is at version ${applied}, this keyturn knows ${MIGRATIONS.length}; run the newer keyturn`,
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < applied) continue;
    await client.query({ text: sql, ...LONG } as pg.QueryConfig);
    await client.query('INSERT INTO keyturn.migration VALUES ($1, pg_catalog.now())', [index + 1]);
  }
}

/** unique_violation in a catalog, duplicate_schema, duplicate_table: `IF NOT EXISTS` does not see what is not committed. */
function isMadeByAnother(error: unknown): boolean {
  return ['23505', '42P06', '42P07'].includes(String((error as { code?: unknown }).code));
}

/** Another keyturn that migrates is through in moments, so whoever is still there does something else. */
async function heldUp(client: pg.ClientBase, cause: unknown): Promise<DatabaseError> {
  const holders = await tableLockHolders(client, 'keyturn.migration').catch(() => []);
  const who = holders.length === 0 ? 'another session' : holders.map(describeHolder).join('; ');
  return new DatabaseError(
    'locked',
    `the tables in schema keyturn of the state database are locked by ${who}, for longer than ${LOCK_WAIT_MS / 1000} s; try again once that is over${howToEnd(holders)}`,
    { cause },
  );
}
