import type pg from 'pg';
import { type Identity, readIdentity } from '../postgres/connection/identity.ts';
import { isOpenToPublic } from '../postgres/roles/public-access.ts';

export async function identityIn(pool: pg.Pool): Promise<Identity> {
  const client = await pool.connect();
  try {
    return await readIdentity(client);
  } finally {
    client.release();
  }
}

/** Whether the state database takes no changes: a standby server, or one that was told so. */
export async function isReadOnly(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ readonly readOnly: string }>(
    `SELECT pg_catalog.current_setting('transaction_read_only'::pg_catalog.text) AS "readOnly"`,
  );
  return rows[0]?.readOnly === 'on';
}

/** The state database, where every login of its server may connect to it; undefined where not. */
export async function openToPublic(pool: pg.Pool): Promise<string | undefined> {
  if (!(await isOpenToPublic(pool))) return undefined;
  const { rows } = await pool.query<{ readonly name: string }>(
    'SELECT pg_catalog.current_database()::pg_catalog.text AS name',
  );
  return rows[0]?.name;
}

/** The time by the state database's clock, in milliseconds since the epoch. */
export async function askClock(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ readonly now: number }>(
    `SELECT pg_catalog.date_part('epoch'::pg_catalog.text, pg_catalog.clock_timestamp())
              OPERATOR(pg_catalog.*) 1000::pg_catalog.float8 AS now`,
  );
  return rows[0]?.now ?? Number.NaN;
}
