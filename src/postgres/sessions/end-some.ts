import type pg from 'pg';

/**
 * Tells up to `count` sessions of a login to end, those first that have been idle longest. It does
 * not wait for their end. Returns how many it told. Needs the right to signal them.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
 */
export async function endSome(client: pg.ClientBase, login: string, count: number): Promise<number> {
  const { rowCount } = await client.query(
    `SELECT pg_catalog.pg_terminate_backend(session.pid)
       FROM (SELECT activity.pid
               FROM pg_catalog.pg_stat_activity AS activity
              WHERE activity.usename = $1::pg_catalog.name
                AND activity.backend_type = 'client backend'::pg_catalog.text
              ORDER BY activity.state = 'idle'::pg_catalog.text DESC, activity.state_change
              LIMIT $2::pg_catalog.int8) AS session`,
    [login, count],
  );
  return rowCount ?? 0;
}
