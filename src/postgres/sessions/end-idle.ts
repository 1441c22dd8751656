import type pg from 'pg';
import type { SessionInfo } from '../../facts/database/session-info.ts';
import { unlessForbidden } from '../connection/unless-forbidden.ts';

/**
 * Tells those of the given sessions to end that are a login's and idle at this instant. Whoever is
 * at work by now is left alone. Returns false where the rotator may not signal them. Needs a
 * transaction.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
 */
export async function endIdle(
  client: pg.ClientBase,
  login: string,
  sessions: readonly Pick<SessionInfo, 'pid' | 'port'>[],
): Promise<boolean> {
  const told = await unlessForbidden(client, () =>
    client.query(
      `SELECT pg_catalog.pg_terminate_backend(activity.pid)
         FROM pg_catalog.pg_stat_activity AS activity
         JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
         JOIN ROWS FROM (pg_catalog.unnest($2::pg_catalog.int4[]), pg_catalog.unnest($3::pg_catalog.int4[]))
              AS ended (pid, port) ON ended.pid = activity.pid AND ended.port = activity.client_port
        WHERE role.rolname = $1 AND activity.state = 'idle'::pg_catalog.text`,
      [login, sessions.map(({ pid }) => pid), sessions.map(({ port }) => port)],
    ),
  );
  return told !== undefined;
}
