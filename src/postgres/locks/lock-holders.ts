import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { HolderInfo } from '../../facts/database/session-info.ts';
import { type Remedy, sql } from '../../facts/remedy.ts';
import { unlessForbidden } from '../connection/unless-forbidden.ts';
import { quoteLiteral } from '../identifier.ts';
import { type PreparedTransaction, preparedInfo } from '../sessions/prepared-transaction.ts';
import { terminations } from '../sessions/sessions.ts';

/** Who holds a lock: a session, or a prepared transaction, which has none. */
export interface LockHolder {
  /** Null: it is a prepared transaction. */
  readonly pid: number | null;
  /** Null: the login was dropped, or the process has none. */
  readonly login: string | null;
  readonly application: string;
  readonly state: string | null;
  /** Whether it only waits for the lock. It gets it before anybody who comes later. */
  readonly isWaiting: boolean;
  /** When its transaction began. */
  readonly since: Date | null;
  /** For how many milliseconds it has been idle in its transaction; null: it is not idle. */
  readonly idle: number | null;
  readonly prepared: PreparedTransaction | null;
  /** Whether its login is the role that asks. */
  readonly isOwn: boolean;
  /** When the process started. Together with the pid it identifies the session. */
  readonly started: string | null;
}

/**
 * Sessions and prepared transactions that hold a lock in the whole cluster, except for this
 * session. A row of pg_locks for a prepared transaction has no pid. Its lock on its own transaction
 * id leads to its name. https://www.postgresql.org/docs/current/view-pg-locks.html
 */
const HOLDERS = `
  SELECT DISTINCT activity.pid, NOT held.granted AS "isWaiting",
         coalesce(role.rolname, prepared.owner)::pg_catalog.text AS login,
         coalesce(activity.application_name, '') AS application, activity.state,
         activity.backend_start::pg_catalog.text AS started, activity.xact_start AS since,
         prepared.gid, prepared.database::pg_catalog.text AS database,
         prepared.prepared AS "preparedAt", coalesce(role.rolname = SESSION_USER::pg_catalog.name, false) AS "isOwn",
         CASE WHEN activity.state = 'idle in transaction' OR activity.state = 'idle in transaction (aborted)'
              THEN pg_catalog.date_part('epoch'::pg_catalog.text, pg_catalog.statement_timestamp() - activity.state_change)
         END AS "idleSeconds"
    FROM pg_catalog.pg_locks AS held
    LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = held.pid
    LEFT JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
    LEFT JOIN pg_catalog.pg_locks AS own ON held.pid IS NULL AND own.pid IS NULL
          AND own.virtualtransaction = held.virtualtransaction AND own.locktype = 'transactionid'::pg_catalog.text
    LEFT JOIN pg_catalog.pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid
   WHERE held.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
     AND (activity.pid IS NOT NULL OR prepared.gid IS NOT NULL)`;

/**
 * Within a transaction pg_stat_activity stays as it was first read, unless its snapshot is cleared.
 */
export const FRESH = 'SELECT pg_catalog.pg_stat_clear_snapshot()';

const AUTHID = `'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid`;

/**
 * Who holds a lock on these roles that keeps others from changing their comments, or from dropping
 * them.
 */
export function roleLockHolders(client: pg.ClientBase, logins: readonly string[]): Promise<LockHolder[]> {
  return holders(
    client,
    `held.granted AND held.locktype = 'object'::pg_catalog.text AND held.classid = ${AUTHID}
     AND held.mode <> 'AccessShareLock'::pg_catalog.text
     AND held.objid IN (SELECT each.oid FROM pg_catalog.pg_roles AS each
                         WHERE each.rolname = ANY ($1::pg_catalog.name[]))`,
    [logins],
  );
}

/**
 * Who has altered a role in a transaction that is still open. PostgreSQL does not say which role.
 */
export function roleAlterers(client: pg.ClientBase): Promise<LockHolder[]> {
  return holders(
    client,
    `held.granted AND held.locktype = 'relation'::pg_catalog.text AND held.relation = ${AUTHID}
     AND held.mode <> 'AccessShareLock'::pg_catalog.text`,
  );
}

/**
 * Who holds the advisory lock with this key of 64 bits, or of twice 32, in the connected database,
 * shared or not. `orWaits`: also those who wait for it, since they get it before anybody who comes
 * later.
 */
export function advisoryLockHolders(
  client: pg.ClientBase,
  key: string,
  { orWaits = false }: { readonly orWaits?: boolean } = {},
): Promise<LockHolder[]> {
  return holders(
    client,
    `(held.granted OR $3::pg_catalog.bool) AND held.locktype = 'advisory'::pg_catalog.text
     AND held.database = (SELECT each.oid FROM pg_catalog.pg_database AS each
                           WHERE each.datname = pg_catalog.current_database())
     AND held.classid = $1::pg_catalog.oid AND held.objid = $2::pg_catalog.oid`,
    [...halves(key), orWaits],
  );
}

/** Who holds a lock on a table that is stronger than reading takes. */
export function tableLockHolders(client: pg.ClientBase, table: string): Promise<LockHolder[]> {
  return holders(
    client,
    `held.granted AND held.locktype = 'relation'::pg_catalog.text AND held.relation = $1::pg_catalog.regclass::pg_catalog.oid
     AND held.mode <> 'AccessShareLock'::pg_catalog.text`,
    [table],
  );
}

/** A row of HOLDERS. */
interface HolderRow extends Omit<LockHolder, 'idle' | 'prepared'> {
  readonly idleSeconds: number | null;
  readonly gid: string | null;
  readonly database: string | null;
  readonly preparedAt: Date | null;
}

async function holders(client: pg.ClientBase, which: string, values: unknown[] = []): Promise<LockHolder[]> {
  await client.query(FRESH);
  const { rows } = await client.query<HolderRow>(`${HOLDERS} AND ${which}`, values);
  return rows.map(({ gid, database, preparedAt, idleSeconds, ...holder }) => ({
    ...holder,
    since: holder.since ?? preparedAt,
    idle: idleSeconds === null ? null : idleSeconds * 1000,
    prepared: gid === null || database === null || preparedAt === null ? null : { gid, database, preparedAt },
  }));
}

/** The two numbers of 32 bits as which pg_locks shows the key of an advisory lock. */
function halves(key: string): [high: string, low: string] {
  const bits = BigInt.asUintN(64, BigInt(key));
  return [(bits >> 32n).toString(), (bits & 0xffffffffn).toString()];
}

/**
 * Tells those holders to end that are sessions. Returns how many it told. It leaves those that the
 * rotator may not end, and prepared transactions. Needs a transaction.
 */
export async function endHolders(client: pg.ClientBase, holders: readonly LockHolder[]): Promise<number> {
  let count = 0;
  for (const { pid, started } of holders) {
    if (pid === null) continue;
    const ended = await unlessForbidden(client, () =>
      client.query(
        `SELECT pg_catalog.pg_terminate_backend(activity.pid) FROM pg_catalog.pg_stat_activity AS activity
          WHERE activity.pid = $1::pg_catalog.int4 AND activity.backend_start::pg_catalog.text = $2::pg_catalog.text`,
        [pid, started],
      ),
    );
    count += ended?.rowCount ?? 0;
  }
  return count;
}

/** The same as JSON, for a fact. */
export function holderInfo({ pid, login, application, state, since, prepared }: LockHolder): HolderInfo {
  return {
    ...{ pid, login, application, state },
    since: since?.toISOString() ?? null,
    prepared: prepared && preparedInfo(prepared),
  };
}

/**
 * The statements that end those who hold a lock: sessions, by a superuser or a member of
 * pg_signal_backend, and prepared transactions, by a superuser in their database.
 */
export function endingThem(holders: readonly LockHolder[]): Remedy[] {
  const pids = holders.flatMap(({ pid }) => pid ?? []);
  const gids = holders.flatMap(({ prepared }) => prepared?.gid ?? []);
  const rollbacks = gids.map((gid) => `ROLLBACK PREPARED ${quoteLiteral(gid)}`);
  const endings = terminations(pids);
  return [
    ...(rollbacks.length > 0 ? [sql(...rollbacks)] : []),
    ...(endings.length > 0 ? [{ kind: 'sql', statements: endings, as: 'pg_signal_backend' } as const] : []),
  ];
}

/** The key of an advisory lock, a number of 64 bits, for these names. */
export function lockKey(names: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(names)).digest();
  return digest.readBigInt64BE(0).toString();
}
