import pg from 'pg';
import type { Connection } from '../../config/config.ts';
import { clientOptions } from './client-options.ts';
import { confirmPin, otherRole } from './confirm-pin.ts';
import { connectError } from './connect-error.ts';
import { databaseError } from './database-error.ts';
import { connectionOf } from './pg-internals.ts';
import { placeOf } from './place-of.ts';
import { type Remembered, remembering, type SessionKind, startupOptions } from './session-pin.ts';

/** Where and as whom to connect. A {@link Connection} is one. */
export type Target = Omit<Connection, 'name' | 'pgbouncer' | 'maxSessions'> & Remembered;

export interface Session extends AsyncDisposable {
  readonly client: pg.Client;
  /**
   * Whether the server proved by SCRAM that it knows the password. False: it let the client in
   * without.
   */
  readonly proven: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** How long a server may take to hang up. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface ConnectOptions {
  /** Milliseconds; 0: none. */
  readonly statementTimeout?: number;
  readonly kind?: SessionKind;
}

/**
 * Opens one session with the settings of its kind. It is never pooled, and in plaintext only if the
 * mode is `disable`. Its faults name the server, the database and the user.
 */
export async function connect(
  target: Target,
  { statementTimeout = STATEMENT_TIMEOUT_MS, kind = 'rotator' }: ConnectOptions = {},
): Promise<Session> {
  const options = { statementTimeout, kind };
  const known = remembering(target);
  const { memory, password, withPassword } = known;
  if (password === undefined && withPassword) {
    return withPassword(known, (found) => connect({ ...known, password: found }, options));
  }
  const wasPinned = memory.hasTransactionTimeout;
  try {
    const { session, limited } = await open(known, options);
    if (!limited) return session;
    await session[Symbol.asyncDispose]();
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    if (code === TRANSACTION_TIMEOUT) memory.hasTransactionTimeout = true;
    else if (code === UNKNOWN_SETTING && wasPinned) memory.hasTransactionTimeout = false;
    else throw error;
  }
  return (await open(known, options)).session;
}

/**
 * SQLSTATEs: an owner's transaction_timeout ended the session, or an older server does not know
 * that setting.
 */
const TRANSACTION_TIMEOUT = '25P04';
const UNKNOWN_SETTING = '42704';

interface Opened {
  readonly session: Session;
  /** Whether a transaction_timeout of somebody else's still applies. */
  readonly limited: boolean;
}

/** What a session is opened with. */
type Opening = Required<ConnectOptions>;

async function open(target: Target, { statementTimeout, kind }: Opening): Promise<Opened> {
  const options = startupOptions(target, kind, { statementTimeout });
  const client = new pg.Client({
    ...clientOptions(target),
    ...(options === undefined ? {} : { options }),
    application_name: 'keyturn rotator',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeout + 5_000,
    keepAlive: true,
  });
  // A session that dies between two queries reports it here. The next query fails and says so.
  client.on('error', () => {});
  const { stream } = connectionOf(client);
  const heard = listen(client, target);
  try {
    await client.connect();
  } catch (cause) {
    // `end` would not do: after a TLS alert pg may wait for the end of the connection for ever.
    stream.destroy();
    throw await connectError(cause, target, heard);
  }
  const { proven, login } = heard;
  const session = { client, proven, [Symbol.asyncDispose]: () => close(client) };
  try {
    if (login !== target.user) throw otherRole(target, { login, acting: login });
    const isOwn = kind !== 'console' && kind !== 'consumer';
    return { session, limited: isOwn && (await confirmPin(client, target, kind)).limited };
  } catch (cause) {
    stream.destroy();
    throw databaseError(cause, placeOf(target));
  }
}

/** Ends a session. pg alone would wait for ever for a server that does not hang up. */
async function close(client: pg.Client): Promise<void> {
  const { stream } = connectionOf(client);
  const timer = setTimeout(() => stream.destroy(), CLOSE_TIMEOUT_MS);
  await client.end().catch(() => {});
  clearTimeout(timer);
}

/** What the server says while it lets a session in. */
interface Heard {
  /** Whether it proved by SCRAM that it knows the password. */
  proven: boolean;
  /** As whom it let the session in. */
  login: string;
  /** What it sent first, where it was asked for TLS. */
  answer: Buffer;
}

function listen(client: pg.Client, target: Target): Heard {
  const connection = connectionOf(client);
  const heard: Heard = { proven: false, login: target.user, answer: Buffer.alloc(0) };
  connection.once('authenticationSASLFinal', () => {
    heard.proven = true;
  });
  connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    if (status.parameterName === 'session_authorization') heard.login = status.parameterValue;
  });
  if (target.tls.mode !== 'disable') {
    connection.stream.once('data', (chunk) => {
      heard.answer = chunk;
    });
  }
  return heard;
}
