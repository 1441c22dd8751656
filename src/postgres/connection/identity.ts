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

/** When the server was started, to the microsecond. Any role may ask. */
export const STARTED = 'extract(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text';

/** https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION */
export async function readIdentity(client: Pick<pg.ClientBase, 'query'>): Promise<Identity> {
  const { rows } = await client.query<Identity>(`SELECT session_user AS login, ${STARTED} AS server`);
  // A SELECT without FROM has one row.
  return rows[0] as Identity;
}
