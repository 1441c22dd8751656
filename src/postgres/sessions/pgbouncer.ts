import type { PgBouncer } from '../../config/config.ts';
import { connect, placeOf, type Session } from '../connection/connect.ts';
import { DatabaseError, type DatabaseErrorKind, databaseError } from '../connection/database-error.ts';
import { quoteIdentifier } from '../identifier.ts';

/** One pool of a login: what PgBouncer keeps for it and one of its databases. */
export interface Pool {
  /** As PgBouncer names it; PostgreSQL may know it by another name. */
  readonly database: string;
  /** Who is logged in to PgBouncer as the login, whether or not a server connection is theirs at this instant. */
  readonly clients: number;
  readonly serverConnections: number;
}

export interface PgBouncerConsole extends AsyncDisposable {
  pools(login: string): Promise<readonly Pool[]>;
  /** Whether a user may give orders, and not only look: `stats_users` may not. */
  isAdmin(user: string): Promise<boolean>;
  /**
   * Closes the server connections of a database when each is released, at once where nobody uses it. Those of every
   * login: PgBouncer knows no narrower command. https://www.pgbouncer.org/usage.html
   */
  reconnect(database: string): Promise<void>;
}

const REMEDIES: Readonly<Partial<Record<DatabaseErrorKind, string>>> = {
  // One that has an auth_query may leave a user whom it does not know without an answer.
  unreachable:
    'check host, port and firewall, that this PgBouncer is up, and that its auth_file has the user',
  authentication:
    'check the user and password, and that auth_file and admin_users of this PgBouncer have the user',
};

/** Logs in to an admin console. It and what it answers throw a DatabaseError that names the console. */
export async function openPgBouncer(settings: PgBouncer): Promise<PgBouncerConsole> {
  const target = { ...settings, database: 'pgbouncer' };
  const explained = (error: unknown) => {
    if (error instanceof DatabaseError && error.kind === 'tls') return error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return databaseError(cause, placeOf(target), REMEDIES);
  };
  let session: Session;
  try {
    // It refuses startup options that it does not keep track of.
    session = await connect(target, { statementTimeout: 0, kind: 'console' });
  } catch (error) {
    throw explained(error);
  }
  // Without parameters pg uses the simple query protocol, the only one that the console knows.
  const ask = async (command: string) => {
    try {
      return (await session.client.query(command)).rows;
    } catch (error) {
      throw explained(error);
    }
  };
  return {
    async pools(login) {
      const rows: Record<string, unknown>[] = await ask('SHOW POOLS');
      return rows
        .filter(({ user }) => user === login)
        .map((row) => ({
          database: String(row.database),
          clients: sum(row, 'cl_'),
          serverConnections: sum(row, 'sv_'),
        }));
    },
    async isAdmin(user) {
      const rows: Record<string, unknown>[] = await ask('SHOW CONFIG');
      const told = (name: string) => String(rows.find(({ key }) => key === name)?.value ?? '');
      // With auth_type any everybody is.
      return (
        told('auth_type') === 'any' ||
        told('admin_users')
          .split(/[\s,]+/)
          .includes(user)
      );
    },
    async reconnect(database) {
      await ask(`RECONNECT ${quoteIdentifier(database)}`);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** PgBouncer counts each state in a column of its own, and which states there are differs between its versions. */
function sum(row: Readonly<Record<string, unknown>>, prefix: string): number {
  const counts = Object.entries(row).filter(([name]) => name.startsWith(prefix));
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}
