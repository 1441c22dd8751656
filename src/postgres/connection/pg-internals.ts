import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type pg from 'pg';

// What keyturn needs of pg that is not in its types. No other file reaches into pg.

/**
 * pg's own class for the connection of a client. It emits an event for each message of the server.
 */
export interface PgConnection extends EventEmitter {
  readonly stream: Duplex;
  /** Hands the messages of a stream to pg: of the socket, or of the TLS in it. */
  attachListeners(stream: Pick<Duplex, 'on'>): void;
}

interface Internals {
  readonly connection: PgConnection;
  /** Of the server process, as BackendKeyData says. */
  readonly processID: number;
  /** False while a query is under way. */
  readonly readyForQuery: boolean;
  /** Whether SCRAM may be bound to the certificate of the server. */
  enableChannelBinding: boolean;
}

function internalsOf(client: pg.ClientBase): Internals {
  return client as unknown as Internals;
}

export function connectionOf(client: pg.ClientBase): PgConnection {
  return internalsOf(client).connection;
}

export function processIdOf(client: pg.ClientBase): number {
  return internalsOf(client).processID;
}

export function isIdle(client: pg.ClientBase): boolean {
  return internalsOf(client).readyForQuery;
}

/**
 * Tells whether a session is in no transaction, as the server said after the last query.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html: `I` in ReadyForQuery.
 */
export function watchTransaction(client: pg.ClientBase): () => boolean {
  let status = 'I';
  connectionOf(client).on('readyForQuery', (message: { readonly status: string }) => {
    status = message.status;
  });
  return () => isIdle(client) && status === 'I';
}

export function disableChannelBinding(client: pg.ClientBase): void {
  internalsOf(client).enableChannelBinding = false;
}

/** Options of a client that its types lack. */
export interface InternalOptions {
  /** The most iterations of SCRAM that a server may ask for. */
  readonly scramMaxIterations: number;
}
