import type pg from 'pg';
import { strangersName } from '../../visible.ts';
import { unlessForbidden } from '../connection/unless-forbidden.ts';
import type { PreparedTransaction } from './prepared-transaction.ts';

/** One server process that is logged in as a login. Ages are milliseconds. */
export interface LoginSession {
  readonly pid: number;
  readonly database: string | null;
  /** Whether that is another database than the one that was asked in. */
  readonly elsewhere: boolean;
  /** The replica that it is on; left out: the primary. */
  readonly replica?: string;
  readonly application: string;
  readonly address: string | null;
  /** `client backend`, `walsender`, or a background worker that runs as the login. */
  readonly type: string;
  /** Replication slots that it holds. They have no owner, so a slot that nobody holds is nobody's. */
  readonly slots: readonly string[];
  readonly state: string | null;
  readonly transactionAge: number | null;
}

/** All that holds on to a login. */
export interface LoginUse {
  readonly sessions: readonly LoginSession[];
  readonly prepared: readonly PreparedTransaction[];
}

export const NOBODY: LoginUse = { sessions: [], prepared: [] };

/**
 * Who uses the given logins, in the whole cluster, not only in the connected database, in one query.
 * Throws when the rotator may not see it, because an empty list would then mean nothing (G6).
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export async function usesOf(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<Map<string, LoginUse>> {
  // Parallel workers are left out: they belong to a query of a session that is there, and end with it.
  const { rows } = await client.query(
    `SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS visible, pg_catalog.quote_ident(current_user) AS rotator,
            (SELECT pg_catalog.json_agg(session) FROM (
               SELECT role.rolname AS login, activity.pid, activity.datname AS database,
                      coalesce(activity.datname <> pg_catalog.current_database(), false) AS elsewhere,
                      activity.application_name AS application, pg_catalog.host(activity.client_addr) AS address,
                      activity.backend_type AS type, activity.state,
                      ARRAY(SELECT slot.slot_name FROM pg_catalog.pg_replication_slots AS slot
                             WHERE slot.active_pid = activity.pid ORDER BY 1) AS slots,
                      extract(epoch FROM pg_catalog.clock_timestamp() - activity.xact_start) * 1000::numeric AS "transactionAge"
                 FROM pg_catalog.pg_stat_activity AS activity
                 JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
                WHERE role.rolname = ANY ($1) AND activity.backend_type IS DISTINCT FROM 'parallel worker'
                ORDER BY activity.backend_start, activity.pid) AS session) AS sessions,
            (SELECT pg_catalog.json_agg(transaction) FROM (
               SELECT owner AS login, gid, database, prepared AS "preparedAt"
                 FROM pg_catalog.pg_prepared_xacts WHERE owner = ANY ($1)
                ORDER BY prepared, gid) AS transaction) AS prepared`,
    [logins],
  );
  const [seen] = rows;
  if (seen?.visible !== true) throw new SessionsHiddenError(seen?.rotator);
  const uses = new Map(
    logins.map((login) => [login, { sessions: [] as LoginSession[], prepared: [] as PreparedTransaction[] }]),
  );
  for (const { login, ...session } of seen.sessions ?? []) uses.get(login)?.sessions.push(session);
  for (const { login, preparedAt, ...transaction } of seen.prepared ?? []) {
    uses.get(login)?.prepared.push({ ...transaction, preparedAt: new Date(preparedAt) });
  }
  return uses;
}

/** The sessions of the given logins; throws as {@link usesOf} does. */
export async function sessionsOf(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<Map<string, readonly LoginSession[]>> {
  return sessionsIn(await usesOf(client, logins));
}

export function sessionsIn(uses: ReadonlyMap<string, LoginUse>): Map<string, readonly LoginSession[]> {
  return new Map([...uses].map(([login, { sessions }]) => [login, sessions]));
}

/** The rotator cannot see other roles' sessions, so no count of them would be true. */
export class SessionsHiddenError extends Error {
  override readonly name = 'SessionsHiddenError';

  /** `rotator` is quoted already. */
  constructor(rotator: string) {
    super(
      `The rotator ${rotator} may not see the sessions of other roles; run: GRANT pg_read_all_stats TO ${rotator}`,
    );
  }
}

/**
 * Signals sessions of a login to end; one that is gone already is no error, and a pid that another login's session
 * has by now is left alone. Returns the pids that the rotator may not signal: only a superuser ends a superuser's.
 * Needs a transaction, which holds the policy's lock.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
 */
export async function terminate(
  client: pg.ClientBase,
  login: string,
  pids: readonly number[],
): Promise<number[]> {
  const refused: number[] = [];
  for (const pid of pids) {
    // One a query, each with a way back: the first that may not be signalled would keep the others from it.
    const told = await unlessForbidden(client, () =>
      client.query(
        `SELECT pg_catalog.pg_terminate_backend(activity.pid)
           FROM pg_catalog.pg_stat_activity AS activity
           JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
          WHERE activity.pid = $1 AND role.rolname = $2`,
        [pid, login],
      ),
    );
    if (told === undefined) refused.push(pid);
  }
  return refused;
}

/** `psql@10.0.0.7 (idle in transaction, transaction 12 s old)`: who holds a drain up. */
export function describeSession(session: LoginSession): string {
  const { application, address, type, slots, state, database, elsewhere, replica, transactionAge } = session;
  const facts = [
    ...(type === 'client backend' ? [] : [type]),
    ...(slots.length > 0 ? [`replication slot ${slots.join(' and ')}`] : []),
    state ?? 'unknown state',
    ...(elsewhere ? [`in database ${strangersName(database ?? '')}`] : []),
    ...(replica === undefined ? [] : [`on replica ${replica}`]),
    ...(transactionAge === null ? [] : [`transaction ${Math.round(transactionAge / 1000)} s old`]),
  ];
  return `${strangersName(application) || 'unnamed application'}@${address ?? 'local'} (${facts.join(', ')})`;
}
