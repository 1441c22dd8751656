import pg from 'pg';
import type { Connection, Tls } from '../policy/config.ts';
import { databaseError } from './database-error.ts';

/** Where and as whom to connect; a {@link Connection} is one. */
export type Target = Omit<Connection, 'name' | 'pgbouncer'>;

export interface Session extends AsyncDisposable {
  readonly client: pg.Client;
  /** Whether the server demanded the password by SCRAM and proved that it knows it, or let the client in without. */
  readonly proven: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * Opens one session, never pooled and never in plaintext unless the mode is `disable`.
 * Throws a DatabaseError that names the server, the database and the user. `statementTimeout` is milliseconds; 0 sends
 * none.
 */
export async function connect(
  target: Target,
  { statementTimeout = STATEMENT_TIMEOUT_MS }: { readonly statementTimeout?: number } = {},
): Promise<Session> {
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    // An empty password keeps pg from looking in PGPASSWORD or a .pgpass file.
    password: target.password ?? '',
    ssl: tlsOptions(target.tls, target.host),
    application_name: 'keyturn rotator',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeout,
    query_timeout: statementTimeout + 5_000,
    keepAlive: true,
  });
  // A session that dies between two queries reports it here; the next query fails and tells.
  client.on('error', () => {});
  let proven = false;
  (client as unknown as { connection: NodeJS.EventEmitter }).connection.once(
    'authenticationSASLFinal',
    () => {
      proven = true;
    },
  );
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => {});
    throw databaseError(cause, placeOf(target));
  }
  return { client, proven, [Symbol.asyncDispose]: () => client.end().catch(() => {}) };
}

/** How messages name a target: `orders_api_a@db.internal:5432/orders`. */
export function placeOf(target: Target): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}

function tlsOptions(tls: Tls, host: string): pg.ClientConfig['ssl'] {
  if (tls.mode === 'disable') return false;
  const material = {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
  switch (tls.mode) {
    case 'require':
      return { ...material, rejectUnauthorized: false };
    case 'verify-ca':
      return { ...material, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case 'verify-full':
      // pg sends no server name for an IP address; `host` makes Node.js check the certificate against it anyway.
      return { ...material, rejectUnauthorized: true, ...{ host } };
  }
}
