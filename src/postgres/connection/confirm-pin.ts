import type pg from 'pg';
import type { Database } from '../../config/config.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { placeOf } from './place-of.ts';
import { type Remembered, SEARCH_PATH, type SessionKind, TRANSACTION_TIMEOUT_SINCE } from './session-pin.ts';

/** What a session says of itself. */
interface Standing {
  readonly login: string;
  readonly acting: string;
  readonly path: string;
  readonly version: number;
  /** Null on servers that do not have the setting. */
  readonly transactionTimeout: string | null;
}

/**
 * Asks a new session of keyturn's own whether the startup options took effect, and sets what they
 * cannot: it raises synchronous_commit to `on`, but never lowers it, and empties
 * createrole_self_grant. Throws if another role than `user` logged in or acts, or if the search
 * path is another. Returns whether transaction_timeout is still set: it would end the session
 * sooner or later, so the session has to be opened again.
 */
export async function confirmPin(
  client: Pick<pg.ClientBase, 'query'>,
  target: Database & Remembered,
  kind: SessionKind,
): Promise<{ readonly limited: boolean }> {
  const { rows } = await client.query<Standing>(STANDING);
  const [standing] = rows;
  const { user } = target;
  if (standing?.login !== user || standing.acting !== user) throw otherRole(target, standing);
  if (standing.path !== SEARCH_PATH[kind]) {
    throw fault('startup-options-ignored', {
      place: placeOf(target),
      searchPath: standing.path,
    });
  }
  if (target.memory) target.memory.hasTransactionTimeout = standing.version >= TRANSACTION_TIMEOUT_SINCE;
  return { limited: (standing.transactionTimeout ?? '0') !== '0' };
}

/** The fault of a session in which another role than the configured one logged in, or acts. */
export function otherRole(target: Database, standing: Pick<Standing, 'login' | 'acting'> | undefined): Fault {
  return fault('session-of-another-role', {
    place: placeOf(target),
    login: String(standing?.login),
    acting: String(standing?.acting),
    user: target.user,
  });
}

/**
 * Nobody can capture this query, whatever the search path is. `remote_apply` is more than `on`, and
 * the other levels are less.
 * https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT
 */
const STANDING = `
  SELECT session_user AS login, current_user AS acting, pg_catalog.current_setting('search_path') AS path,
         pg_catalog.current_setting('server_version_num')::int AS version,
         pg_catalog.current_setting('transaction_timeout', true) AS "transactionTimeout",
         CASE WHEN pg_catalog.current_setting('synchronous_commit')
                   OPERATOR(pg_catalog.<>) ALL (ARRAY['on', 'remote_apply']::pg_catalog.text[])
              THEN pg_catalog.set_config('synchronous_commit', 'on', false) END AS raised,
         CASE WHEN pg_catalog.current_setting('server_version_num')::int OPERATOR(pg_catalog.>=) 160000
              THEN pg_catalog.set_config('createrole_self_grant', '', false) END AS kept`;
