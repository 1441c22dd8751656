import type pg from 'pg';
import type { Credential } from './credential.ts';
import type { Credentials } from './credentials.ts';

export type Callback = (error: Error | null) => void;

/** What logs in, and how. */
export interface LogIn {
  readonly client: pg.Client;
  readonly credentials: Credentials;
  /** Connects the client with the login that it has been given. */
  connect(callback: Callback): void;
  /** Another client with the same options, which is not connected. */
  another(): pg.Client;
  /** Called with the credential before it is tried. */
  onTry(credential: Credential): void;
}

/** The parts of pg's Client that its types leave out. */
interface Internals {
  readonly connection: {
    readonly stream: { readonly destroyed: boolean; destroy(): void };
    removeAllListeners(): void;
    on(event: 'error', listener: () => void): void;
  };
  readonly connectionParameters: { user: string; password: string };
  readonly _connecting: boolean;
  readonly _connected: boolean;
  readonly _ending: boolean;
  user: string;
  password: string;
}

/**
 * Logs in with the current credential. If the server refuses it, reads the source again once, and
 * connects once more.
 */
export function logIn(login: LogIn, callback: Callback): void {
  const { client, credentials } = login;
  credentials.current().then(
    (credential) =>
      tryOnce(login, credential, (error) => {
        if (!isRefusal(error)) {
          callback(error);
          return;
        }
        // At once, before the end of the first connection is taken for the client's.
        startOver(client, login.another());
        const giveUp = () => nextTick(callback, error);
        // Credentials that an application wrapped may reject.
        credentials.replacementOf(credential).then((replacement) => {
          if (internalsOf(client)._ending) giveUp();
          else tryOnce(login, replacement, callback);
        }, giveUp);
      }),
    (error) => nextTick(callback, error),
  );
}

function tryOnce({ client, connect, onTry }: LogIn, credential: Credential, callback: Callback): void {
  const internals = internalsOf(client);
  // Whoever gave up meanwhile has called `end`, or destroyed the stream, as pg-pool does.
  if (internals._ending || internals.connection.stream.destroyed) {
    nextTick(callback, new Error('Connection terminated'));
    return;
  }
  // A client that is connected already has pg's own error for that.
  if (!internals._connecting && !internals._connected) {
    onTry(credential);
    for (const place of [internals, internals.connectionParameters]) {
      place.user = credential.username;
      place.password = credential.password;
    }
  }
  connect(callback);
}

/** Outside of promises, so that what a callback throws is no unhandled rejection. */
function nextTick(callback: Callback, error: Error | null): void {
  process.nextTick(callback, error);
}

function internalsOf(client: pg.Client): Internals {
  return client as unknown as Internals;
}

/** invalid_password, and invalid_authorization_specification, which a login without LOGIN gets. */
function isRefusal(error: Error | null | undefined): error is Error {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === '28P01' || code === '28000';
}

/** What a client has as an emitter of events stays: its listeners are the pool's. */
const OF_EMITTER = new Set(['_events', '_eventsCount', '_maxListeners', 'domain']);

/** pg's Client connects once. Gives it the state of a new one, and drops its connection. */
function startOver(client: pg.Client, fresh: pg.Client): void {
  const { connection } = internalsOf(client);
  connection.removeAllListeners();
  connection.on('error', () => {});
  connection.stream.destroy();
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(fresh))) {
    if (!OF_EMITTER.has(name)) Object.defineProperty(client, name, property);
  }
}
