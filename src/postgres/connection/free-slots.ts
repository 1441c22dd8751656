import type pg from 'pg';

/** The sessions of a server for those who have no right to its reserved ones. */
export interface Slots {
  readonly all: number;
  /** Without those that are logging in at this instant: they are not seen yet. */
  readonly free: number;
}

/**
 * Counts the slots of a server. Everybody may: the rows of other roles lack what they do, but not that they are there.
 * https://www.postgresql.org/docs/current/runtime-config-connection.html
 */
export async function readSlots(client: pg.ClientBase): Promise<Slots> {
  const { rows } = await client.query<Readonly<Record<'max' | 'superuser' | 'reserved' | 'used', string>>>(
    `SELECT pg_catalog.current_setting('max_connections') AS max,
            pg_catalog.current_setting('superuser_reserved_connections') AS superuser,
            pg_catalog.current_setting('reserved_connections', true) AS reserved,
            (SELECT pg_catalog.count(*)
               FROM pg_catalog.pg_stat_get_activity(NULL::pg_catalog.int4) AS session
              WHERE session.datid IS NOT NULL AND session.usesysid IS NOT NULL) AS used`,
  );
  const facts = rows[0];
  // Up to PostgreSQL 15 there is no `reserved_connections`.
  const reserved = Number(facts?.superuser) + Number(facts?.reserved ?? 0);
  const all = Number(facts?.max) - reserved;
  return { all, free: all - Number(facts?.used) };
}
