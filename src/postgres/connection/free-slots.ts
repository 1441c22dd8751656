import type pg from 'pg';

/** The connections of a server for those who have no right to its reserved ones. */
export interface Slots {
  readonly all: number;
  /** Those that are logging in at this instant are not counted: they cannot be seen yet. */
  readonly free: number;
}

/**
 * Counts the connections of a server. Every role may: it sees that other sessions exist, though not
 * what they do. https://www.postgresql.org/docs/current/runtime-config-connection.html
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
