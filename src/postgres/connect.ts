import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Connection } from '../policy/config.ts';
import { clientOptions } from './client-options.ts';
import { connectError } from './connect-error.ts';

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
  if (target.password === undefined && target.withPassword) {
    return target.withPassword(target, (password) => connect({ ...target, password }, { statementTimeout }));
  }
  const client = new pg.Client({
    ...clientOptions(target),
    application_name: 'keyturn rotator',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeout,
    query_timeout: statementTimeout + 5_000,
    keepAlive: true,
  });
  // A session that dies between two queries reports it here; the next query fails and tells.
  client.on('error', () => {});
  let proven = false;
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter & { stream: Duplex } };
  connection.once('authenticationSASLFinal', () => {
    proven = true;
  });
  let answer = Buffer.alloc(0);
  if (target.tls.mode !== 'disable') {
    connection.stream.once('data', (chunk) => {
      answer = chunk;
    });
  }
  try {
    await client.connect();
  } catch (cause) {
    // Not by a farewell: after a TLS alert pg may wait for its end for ever.
    connection.stream.destroy();
    throw await connectError(cause, target, { place: placeOf(target), proven, answer });
  }
  return { client, proven, [Symbol.asyncDispose]: () => client.end().catch(() => {}) };
}

/** How messages name a target: `orders_api_a@db.internal:5432/orders`. */
export function placeOf(target: Target): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}
