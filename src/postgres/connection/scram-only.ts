import type { Duplex } from 'node:stream';
import type { Client, ClientConfig } from 'pg';
import type { AuthenticationMethod } from '../../facts/database/server-facts.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { bindsToCertificate } from '../tls/binds-to-certificate.ts';
import {
  connectionOf,
  disableChannelBinding,
  type InternalOptions,
  type PgConnection,
} from './pg-internals.ts';
import { brokenExchange, notAsked, otherMethod } from './scram-fault.ts';

/**
 * More than any server is known to ask for, and half a second's work. PostgreSQL's default is 4096.
 */
const MAX_ITERATIONS = 1_000_000;

interface Wanted {
  /** The server, as messages name it. */
  readonly place: string;
  readonly password: string | undefined;
  /** With a client certificate the server may let keyturn in without asking for the password. */
  readonly certificate: boolean;
  readonly tls: boolean;
}

/**
 * Options with which pg proves its password by SCRAM-SHA-256 only, as libpq does with
 * `require_auth=scram-sha-256`. They bind the exchange to the server's certificate where both sides
 * can. They work for clients and pools, BullMQ's too, since pg calls `stream` for each connection.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH
 */
export function scramOnly(wanted: Wanted, open: () => Duplex): ClientConfig {
  return {
    enableChannelBinding: wanted.tls,
    ...({ scramMaxIterations: MAX_ITERATIONS } satisfies InternalOptions),
    stream(this: unknown) {
      // pg calls it as a method of the connection.
      new Guard(this as PgConnection, wanted);
      return open();
    },
    // A function, because pg takes an empty password for none, and looks in PGPASSWORD and .pgpass
    // then.
    password(this: unknown) {
      // pg calls it as a method of the client, before it chooses a SCRAM mechanism.
      const client = this as Client;
      if (!bindsToCertificate(connectionOf(client).stream)) disableChannelBinding(client);
      return wanted.password ?? '';
    },
  };
}

/** How far the server has come with its authentication. */
type Phase = 'start' | 'offered' | 'challenged' | 'proven' | 'in';

/**
 * Looks at each message before pg does, and ends the connection if the server departs from SCRAM.
 */
class Guard {
  readonly #connection: PgConnection;
  readonly #wanted: Wanted;
  /** That of pg. */
  readonly #emit: PgConnection['emit'];
  #phase: Phase = 'start';
  #isOver = false;
  #ofNetwork: unknown;

  constructor(connection: PgConnection, wanted: Wanted) {
    this.#connection = connection;
    this.#wanted = wanted;
    this.#emit = connection.emit.bind(connection);
    const attach = connection.attachListeners.bind(connection);
    connection.emit = (event: string, ...args: unknown[]) => this.#hear(event, args);
    connection.attachListeners = (stream) => attach(this.#guarded(stream));
  }

  #hear(event: string, args: readonly unknown[]): boolean {
    const { place, password = '', certificate, tls } = this.#wanted;
    // After a fault nothing that the server says reaches pg, which only learns that the connection
    // is closed.
    if (this.#isOver) return event === 'end' && this.#emit(event, ...args);
    if (event === 'error') {
      // During the exchange an error is pg's verdict on it, unless it is one of the network.
      const isExchange = this.#phase !== 'in' && this.#phase !== 'start';
      if (!isExchange || args[0] === this.#ofNetwork) return this.#emit(event, ...args);
      this.#end(password === '' ? args[0] : brokenExchange(place, args[0]));
      return true;
    }
    const mayLetIn = password === '' || certificate;
    const mechanisms = mechanismsIn(args[0]);
    const next = judge(event, { place, phase: this.#phase, mayLetIn, tls, mechanisms });
    if (typeof next === 'object') {
      this.#end(next);
      return true;
    }
    // In here pg checks the server's signature, and emits an error if it is wrong.
    const heard = this.#emit(event, ...args);
    this.#phase = next;
    return heard;
  }

  #end(fault: unknown): void {
    this.#isOver = true;
    this.#emit('error', fault);
    this.#connection.stream.destroy();
  }

  #guarded(stream: Pick<Duplex, 'on'>): Pick<Duplex, 'on'> {
    stream.on('error', (error) => {
      this.#ofNetwork = error;
    });
    const on = (event: string, listener: (...args: unknown[]) => void) => {
      stream.on(event, event === 'data' ? (chunk: Buffer) => this.#read(chunk, listener) : listener);
      return stream as Duplex;
    };
    // pg only calls `on`.
    return { on } as Pick<Duplex, 'on'>;
  }

  #read(chunk: Buffer, listener: (chunk: Buffer) => void): void {
    if (this.#isOver) return;
    try {
      listener(chunk);
    } catch (cause) {
      // pg throws on a message that it does not know, such as a request for GSSAPI. Nobody would
      // catch it.
      if (this.#isOver) return;
      this.#end(this.#phase === 'in' ? cause : otherMethod(this.#wanted.place, methodIn(chunk), cause));
    }
  }
}

/** What a message is judged by. */
interface Situation {
  readonly place: string;
  readonly phase: Phase;
  readonly mayLetIn: boolean;
  readonly tls: boolean;
  readonly mechanisms: readonly string[];
}

/** The phase after a message, or why no honest server sends it now. */
function judge(event: string, { place, phase, mayLetIn, tls, mechanisms }: Situation): Phase | Fault {
  const outOfTurn = () => fault('scram-out-of-turn', { place, message: event });
  switch (event) {
    case 'authenticationCleartextPassword':
      return otherMethod(place, 'cleartext');
    case 'authenticationMD5Password':
      return otherMethod(place, 'md5');
    case 'authenticationSASL': {
      const known = ['SCRAM-SHA-256', ...(tls ? ['SCRAM-SHA-256-PLUS'] : [])];
      if (!mechanisms.some((mechanism) => known.includes(mechanism))) return otherMethod(place, 'sasl');
      return phase === 'start' ? 'offered' : outOfTurn();
    }
    case 'authenticationSASLContinue':
      return phase === 'offered' ? 'challenged' : outOfTurn();
    case 'authenticationSASLFinal':
      return phase === 'challenged' ? 'proven' : outOfTurn();
    case 'authenticationOk':
      if (phase === 'proven' || (phase === 'start' && mayLetIn)) return 'in';
      return phase === 'start' ? notAsked(place) : outOfTurn();
    case 'readyForQuery':
      return phase === 'in' ? 'in' : notAsked(place);
    default:
      return phase;
  }
}

function mechanismsIn(message: unknown): readonly string[] {
  return (message as { mechanisms?: readonly string[] } | undefined)?.mechanisms ?? [];
}

/**
 * The method of a request for authentication that pg does not know.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
function methodIn(chunk: Buffer): AuthenticationMethod {
  if (chunk.length < 9 || chunk.toString('latin1', 0, 1) !== 'R') return 'unknown';
  return [7, 8, 9].includes(chunk.readInt32BE(5)) ? 'gssapi' : 'unknown';
}
