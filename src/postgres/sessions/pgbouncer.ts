import type { PgBouncer } from '../../config/config.ts';
import { type Fault, fault, isFault } from '../../facts/fault.ts';
import { connect, type Session } from '../connection/connect.ts';
import { databaseError } from '../connection/database-error.ts';
import { placeOf } from '../connection/place-of.ts';
import { quoteIdentifier } from '../identifier.ts';

/** One pool of a login: what PgBouncer keeps for it and one of its databases. */
export interface Pool {
  /** As PgBouncer names it. PostgreSQL may have another name for it. */
  readonly database: string;
  /**
   * Clients that are logged in to PgBouncer as the login, whether or not they have a server
   * connection now.
   */
  readonly clients: number;
  readonly serverConnections: number;
}

export interface PgBouncerConsole extends AsyncDisposable {
  pools(login: string): Promise<readonly Pool[]>;
  /** Whether a user may give commands, and not only look: `stats_users` may not. */
  isAdmin(user: string): Promise<boolean>;
  /**
   * Closes the server connections of a database, each when it is released, at once where nobody
   * uses it. It closes those of every login: PgBouncer has no narrower command.
   * https://www.pgbouncer.org/usage.html
   */
  reconnect(database: string): Promise<void>;
}

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
        serverConnections: sum(row, 'sv_'),
      }));
  }

  async isAdmin(user: string): Promise<boolean> {
    const rows = await this.#ask('SHOW CONFIG');
    const setting = (name: string) => String(rows.find(({ key }) => key === name)?.value ?? '');
    // With auth_type any, everybody is.
    if (setting('auth_type') === 'any') return true;
    return setting('admin_users')
      .split(/[\s,]+/)
      .includes(user);
  }

  async reconnect(database: string): Promise<void> {
    await this.#ask(`RECONNECT ${quoteIdentifier(database)}`);
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
