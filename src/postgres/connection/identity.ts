import type pg from 'pg';

/**
 * As whom a session logged in, and on which server. Two sessions with the same identity share a
 * password.
 */
export interface Identity {
  readonly login: string;
  /**
   * When it was started, to the microsecond: no two servers share that. Servers that come from one
   * backup share a system identifier.
   */
  readonly server: string;
}

/**
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION; any role may
 * ask.
 */
export async function readIdentity(client: Pick<pg.ClientBase, 'query'>): Promise<Identity> {
  const { rows } = await client.query<Identity>(
    `SELECT session_user AS login,
            extract(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text AS server`,
  );
  // A SELECT without FROM has one row.
  return rows[0] as Identity;
}
