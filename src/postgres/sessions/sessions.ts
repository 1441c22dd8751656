import type pg from 'pg';
import type { PreparedInfo, SessionInfo } from '../../facts/database/session-info.ts';
import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { prepared } from '../connection/prepared.ts';
import { unlessForbidden } from '../connection/unless-forbidden.ts';
import type { PreparedTransaction } from './prepared-transaction.ts';

/** Everything that uses a login. */
export interface LoginUse {
  readonly sessions: readonly SessionInfo[];
  readonly prepared: readonly PreparedTransaction[];
}

export const NOBODY: LoginUse = { sessions: [], prepared: [] };

/** What PostgreSQL answers, from functions that make JSON. */
export interface SeenUses {
  readonly visible: boolean;
  /** Quoted. */
  readonly rotator: string;
  readonly sessions: readonly (SessionInfo & { readonly login: string })[] | null;
  readonly prepared: readonly (PreparedInfo & { readonly login: string })[] | null;
}

/**
 * Who uses the given logins, in the whole cluster and not only in the connected database, in one
 * query. Throws `sessions-hidden` if the rotator may not see it, because an empty list would mean
 * nothing (G6).
 * https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export async function usesOf(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<Map<string, LoginUse>> {
  const { rows } = await client.query<SeenUses>(prepared(USES, [logins]));
  return usesIn(rows[0], logins);
}

/**
 * $1: the logins. Parallel workers are left out: they belong to a session that is counted, and end
 * with its query.
 */
export const USES = `
     SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS visible, pg_catalog.quote_ident(current_user) AS rotator,
            (SELECT pg_catalog.json_agg(session) FROM (
               SELECT role.rolname AS login, activity.pid, activity.datname AS database,
                      coalesce(activity.datname <> pg_catalog.current_database(), false) AS elsewhere,
                      activity.application_name AS application, pg_catalog.host(activity.client_addr) AS address, activity.client_port AS port,
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
                ORDER BY prepared, gid) AS transaction) AS prepared`;

/** What a row of USES says. Throws as {@link usesOf} does. */
export function usesIn(seen: SeenUses | undefined, logins: readonly string[]): Map<string, LoginUse> {
  if (seen?.visible !== true) throw sessionsHidden(seen?.rotator ?? 'CURRENT_USER');
  const uses = new Map(
    logins.map((login) => [login, { sessions: [] as SessionInfo[], prepared: [] as PreparedTransaction[] }]),
  );
  for (const { login, ...session } of seen.sessions ?? []) uses.get(login)?.sessions.push(session);
  for (const { login, preparedAt, ...transaction } of seen.prepared ?? []) {
    uses.get(login)?.prepared.push({ ...transaction, preparedAt: new Date(preparedAt) });
  }
  return uses;
}

/** The rotator cannot see other roles' sessions, so no count of them would be true. */
function sessionsHidden(rotator: string) {
  const remedies = [sql(`GRANT pg_read_all_stats TO ${rotator}`)];
  return fault('sessions-hidden', { rotator }, { remedies });
}

/** The sessions of the given logins; throws as {@link usesOf} does. */
export async function sessionsOf(
  client: pg.ClientBase,
  logins: readonly string[],
): Promise<Map<string, readonly SessionInfo[]>> {
  return sessionsIn(await usesOf(client, logins));
}

export function sessionsIn(uses: ReadonlyMap<string, LoginUse>): Map<string, readonly SessionInfo[]> {
  return new Map([...uses].map(([login, { sessions }]) => [login, sessions]));
}

/**
 * Tells sessions of a login to end. One that is gone is no error, and a pid that another login's
 * session has by now is left alone. Returns the pids that the rotator may not signal: only a
 * superuser may end a superuser's session. Needs a transaction that holds the policy's lock.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
 */
export async function terminate(
  client: pg.ClientBase,
  login: string,
  pids: readonly number[],
): Promise<number[]> {
  const refused: number[] = [];
  for (const pid of pids) {
    // One per query, each in a savepoint: else the first that may not be signalled would stop the
    // rest.
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

/** The statements with which somebody else ends sessions, for a remedy. */
export function terminations(pids: readonly number[]): string[] {
  return pids.map((pid) => `SELECT pg_catalog.pg_terminate_backend(${pid})`);
}

/** The process ids of sessions whose role was dropped. PostgreSQL lets such sessions go on. */
export async function sessionsOfNobody(client: pg.ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT activity.pid FROM pg_catalog.pg_stat_activity AS activity
      WHERE activity.usesysid <> 0::pg_catalog.oid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS role WHERE role.oid = activity.usesysid)
      ORDER BY activity.pid`,
  );
  return rows.map(({ pid }) => pid);
}

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

/** Adds up who uses logins on several servers. */
export function mergeUses(servers: readonly ReadonlyMap<string, LoginUse>[]): Map<string, LoginUse> {
  const merged = new Map<string, LoginUse>();
  for (const [login, use] of servers.flatMap((uses) => [...uses])) {
    const { sessions, prepared } = merged.get(login) ?? NOBODY;
    merged.set(login, {
      sessions: [...sessions, ...use.sessions],
      prepared: [...prepared, ...use.prepared],
    });
  }
  return merged;
}
