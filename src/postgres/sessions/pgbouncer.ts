import { setTimeout as sleep } from 'node:timers/promises';
import type { PgBouncer } from '../../config/config.ts';
import { type Fault, fault, isFault } from '../../facts/fault.ts';
import { connect, type Session } from '../connection/connect.ts';
import { databaseError } from '../connection/database-error.ts';
import { placeOf } from '../connection/place-of.ts';

/** One pool of a login: what PgBouncer keeps for it and one of its databases. */
export interface Pool {
  /** As PgBouncer names it. PostgreSQL may have another name for it. */
  readonly database: string;
  /**
   * Clients that are logged in to PgBouncer as the login, whether or not they have a server
   * connection now.
   */
  readonly clients: number;
  /** Whether each of its server connections is idle: none is in use, logging in or being tested. */
  readonly isAtRest: boolean;
}

/** A server connection that PgBouncer keeps and no client uses. */
export interface IdleConnection {
  /** As PgBouncer names it. */
  readonly database: string;
  /** PostgreSQL's process. */
  readonly pid: number;
  /** PgBouncer's end of it. -1, as PostgreSQL has it: it is a Unix socket. */
  readonly port: number;
}

/**
 * The admin console of a PgBouncer. It is only asked, which `stats_users` may. It gets no command:
 * RECONNECT would also end what is just logging in, for every login of a database, and PgBouncer
 * then refuses their clients for `server_login_retry`. https://www.pgbouncer.org/usage.html
 */
export interface PgBouncerConsole extends AsyncDisposable {
  pools(login: string): Promise<readonly Pool[]>;
  idleConnections(login: string): Promise<readonly IdleConnection[]>;
  /** Waits, for a moment at most, until nobody is just logging in to PgBouncer as the login. */
  awaitLogins(login: string): Promise<void>;
}

/**
 * How long to wait for clients that are logging in, in milliseconds: they need a few. Anybody can
 * begin to log in and leave it at that.
 */
const PATIENCE_MS = 2_000;
const PAUSE_MS = 100;

/** Logs in to an admin console. Its faults, and those of what it is asked, name the console. */
export async function openPgBouncer(settings: PgBouncer): Promise<PgBouncerConsole> {
  const target = { ...settings, database: 'pgbouncer' };
  const place = placeOf(target);
  let session: Session;
  try {
    // It refuses startup options that it does not keep track of.
    session = await connect(target, { statementTimeout: 0, kind: 'console' });
  } catch (error) {
    throw ofConsole(error, place);
  }
  return new AdminConsole(session, place);
}

class AdminConsole implements PgBouncerConsole {
  readonly #session: Session;
  readonly #place: string;

  constructor(session: Session, place: string) {
    this.#session = session;
    this.#place = place;
  }

  async pools(login: string): Promise<readonly Pool[]> {
    const rows = await this.#ask('SHOW POOLS');
    return rows
      .filter(({ user }) => user === login)
      .map((row) => ({
        database: String(row.database),
        clients: sum(row, 'cl_'),
        isAtRest: sum(row, 'sv_') === Number(row.sv_idle) + Number(row.sv_used),
      }));
  }

  async idleConnections(login: string): Promise<readonly IdleConnection[]> {
    const rows = await this.#ask('SHOW SERVERS');
    return rows
      .filter(({ user, state }) => user === login && (state === 'idle' || state === 'used'))
      .map((row) => ({
        database: String(row.database),
        pid: Number(row.remote_pid),
        port: row.local_addr === 'unix' ? -1 : Number(row.local_port),
      }));
  }

  async awaitLogins(login: string): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    const isLoggingIn = (row: Row) => row.user === login && row.state === 'cl_login';
    while ((await this.#ask('SHOW SOCKETS')).some(isLoggingIn) && performance.now() < deadline) {
      await sleep(PAUSE_MS);
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#session[Symbol.asyncDispose]();
  }

  /** Without parameters pg uses the simple query protocol, the only one that the console knows. */
  async #ask(command: string): Promise<Row[]> {
    try {
      return (await this.#session.client.query<Row>(command)).rows;
    } catch (error) {
      throw ofCommand(error, this.#place);
    }
  }
}

/** Which columns there are differs between the versions of PgBouncer. */
type Row = Readonly<Record<string, unknown>>;

/** A fault of a console: another advice helps than for PostgreSQL. */
function ofConsole(error: unknown, place: string): Fault {
  const known = databaseError(error, place);
  const { cause } = known;
  if (isFault(known, 'server-unreachable')) {
    return fault('pgbouncer-unreachable', known.fact.params, { cause });
  }
  if (isFault(known, 'login-refused')) {
    const { detail } = known.fact.params;
    return fault('pgbouncer-login-refused', { place, detail }, { cause });
  }
  return known;
}

/**
 * PgBouncer has one code for all its own faults. Within a session it says that it refuses a
 * command.
 */
function ofCommand(error: unknown, place: string): Fault {
  const known = ofConsole(error, place);
  const { code } = error as { readonly code?: unknown };
  if (code !== '08P01' || !isFault(known, 'pgbouncer-unreachable')) return known;
  return fault('pgbouncer-command-refused', known.fact.params, { cause: error });
}

/** PgBouncer counts each state in a column, and its versions differ in which states there are. */
function sum(row: Row, prefix: string): number {
  const counts = Object.entries(row).filter(([name]) => name.startsWith(prefix));
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}
