import { LOCK_WAIT_MS } from '../locks/lock-fault.ts';

/**
 * What a session is for. `rotator`: changes roles, on the primary or on a replica. `state`: the
 * ledger. `queue`: BullMQ. `lease`: keeps the embedded server running. `consumer`: proves that a
 * login works, so it keeps that login's own settings. `console`: PgBouncer's, which refuses startup
 * options.
 */
export type SessionKind = 'rotator' | 'state' | 'queue' | 'lease' | 'consumer' | 'console';

/**
 * BullMQ appends its own path to the one it is given. pg_catalog is searched first all the same.
 */
const BULLMQ_PATH = '"bullmq"';

/** The search path of a session; undefined where keyturn does not choose it. */
export const SEARCH_PATH: Readonly<Partial<Record<SessionKind, string>>> = {
  rotator: 'pg_catalog',
  state: 'pg_catalog',
  queue: BULLMQ_PATH,
  lease: 'pg_catalog',
};

/** A worker that was stopped, or whose host is gone, holds a lock no longer than this. */
const IDLE_IN_TRANSACTION_MS = 30_000;
const LOCK_TIMEOUT_MS: Readonly<Record<Exclude<SessionKind, 'console'>, number>> = {
  rotator: LOCK_WAIT_MS,
  consumer: 30_000,
  state: 30_000,
  queue: 30_000,
  // It waits for a server that another process stops, which then ends the session.
  lease: 60_000,
};

/**
 * Settings that could end a session or stop it from working. They are pinned in sessions of every
 * kind. A lost peer is found within half a minute.
 */
const ALL = {
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  idle_session_timeout: '0',
  local_preload_libraries: '',
  // It would end the session at the first error, even within a savepoint.
  exit_on_error: 'off',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
} as const;

/**
 * Settings that could change what keyturn's statements mean, do or cost. The owner of a database
 * may set them for all who connect there, and whoever may alter a role for that role. Only a
 * superuser may set others, such as session_preload_libraries.
 */
const OWN = {
  role: 'none',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'read committed',
  // If a row security policy hides rows, there is an error, and not fewer rows (G6).
  row_security: 'off',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  array_nulls: 'on',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  client_min_messages: 'warning',
  default_tablespace: '',
  check_function_bodies: 'on',
  jit: 'off',
} as const;

/**
 * The statements of a rotator are few and prepared, and each session plans them once. Where a plan
 * for the values at hand looks cheaper, PostgreSQL would plan anew each time, and that takes longer
 * than running them. https://www.postgresql.org/docs/current/runtime-config-query.html
 */
const PLANS = { plan_cache_mode: 'force_generic_plan' } as const;

/**
 * The first version whose servers have transaction_timeout. An older one refuses a session that
 * names it.
 */
export const TRANSACTION_TIMEOUT_SINCE = 170_000;

/**
 * What keyturn has learned about a server from its sessions, for the sessions that it opens later.
 */
export interface ServerMemory {
  hasTransactionTimeout: boolean;
}

/** A server that has a memory, or none: then it may take a second attempt to open a session. */
export interface Remembered {
  readonly memory?: ServerMemory;
}

/** The same target with a memory, which all copies of it share. */
export function remembering<Target extends object>(
  target: Target & Remembered,
): Target & Required<Remembered> {
  return { ...target, memory: target.memory ?? { hasTransactionTimeout: false } };
}

/**
 * The startup options of a session. They stand above ALTER DATABASE and ALTER ROLE, and RESET
 * returns to them. `statementTimeout` is in milliseconds; 0: none. Undefined where a server takes
 * no options. https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-SHELL
 */
export function startupOptions(
  { memory }: Remembered,
  kind: SessionKind,
  { statementTimeout }: { readonly statementTimeout: number },
): string | undefined {
  if (kind === 'console') return undefined;
  const path = SEARCH_PATH[kind];
  return written({
    ...ALL,
    statement_timeout: String(statementTimeout),
    lock_timeout: String(LOCK_TIMEOUT_MS[kind]),
    ...(memory?.hasTransactionTimeout ? { transaction_timeout: '0' } : {}),
    ...(path === undefined ? {} : { search_path: path, ...OWN }),
    ...(kind === 'rotator' ? PLANS : {}),
  });
}

/** PostgreSQL splits the text at spaces. A backslash keeps the character after it as it is. */
function written(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}

/**
 * The beginning of a printed script, in its transaction. A superuser may run it, and without this
 * others could make that superuser run their code or act as another role.
 */
export const SCRIPT_PIN: readonly string[] = ['SET LOCAL search_path TO pg_catalog;', 'SET LOCAL ROLE NONE;'];
