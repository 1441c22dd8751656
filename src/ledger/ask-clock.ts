import type pg from 'pg';

/** The time by the state database's clock, in milliseconds since the epoch. */
export async function askClock(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    `SELECT pg_catalog.date_part('epoch'::pg_catalog.text, pg_catalog.clock_timestamp())
              OPERATOR(pg_catalog.*) 1000::pg_catalog.float8 AS now`,
  );
  return rows[0].now;
}
