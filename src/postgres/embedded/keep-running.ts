import { factOf, fault } from '../../facts/fault.ts';
import { type Attached, attach } from './attach.ts';
import { isLast } from './lease.ts';
import { type Server, stopServer } from './server.ts';

/**
 * What becomes of a server that ended though it was in use: it is being started again, or runs
 * again.
 */
export type ServerChange = 'lost' | 'back';

/** How often the server may end within `SPAN_MS` and is started again. */
const MAX_RESTARTS = 3;
const SPAN_MS = 600_000;

export interface Attachment {
  readonly port: number;
  /** Resolves with the fault when the server is lost for good. */
  readonly lost: Promise<Error>;
  /** Stops using the server. It stops when the last process does. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * Attaches to a server, and starts it again whenever it ends while this process uses it. A
 * postmaster that is killed ends all sessions, the lease too. Each process that uses the server
 * does so, and one of them starts it.
 */
export async function keepRunning(
  server: Server,
  password: string,
  onChange: (change: ServerChange) => void,
): Promise<Attachment> {
  return new Keeper({ server, password, onChange }, await attach(server, password));
}

interface Kept {
  readonly server: Server;
  readonly password: string;
  readonly onChange: (change: ServerChange) => void;
}

class Keeper implements Attachment {
  readonly port: number;
  readonly lost: Promise<Error>;
  readonly #kept: Kept;
  readonly #closing = new AbortController();
  readonly #ends: number[] = [];
  #current: Attached;
  #restarting = Promise.resolve();
  #giveUp: (fault: Error) => void = () => {};

  constructor(kept: Kept, attached: Attached) {
    this.#kept = kept;
    this.#current = attached;
    this.port = attached.port;
    this.lost = new Promise<Error>((resolve) => {
      this.#giveUp = resolve;
    });
    this.#watch();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#restarting;
    const { lease, exited } = this.#current;
    const last = await isLast(lease);
    if (last) await stopServer(this.#kept.server);
    await lease.client.end().catch(() => {});
    if (last) await ended(exited);
  }

  async destroy(): Promise<void> {
    this.#closing.abort();
    await this.#restarting;
    await this.#current.lease.client.end().catch(() => {});
    await stopServer(this.#kept.server, 'immediate');
    await ended(this.#current.exited);
  }

  #watch(): void {
    void this.#current.lease.ended.then(() => {
      if (!this.#closing.signal.aborted) this.#restarting = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    const { server, password, onChange } = this.#kept;
    onChange('lost');
    const now = Date.now();
    this.#ends.push(now);
    try {
      if (this.#ends.filter((time) => now - time < SPAN_MS).length > MAX_RESTARTS) {
        throw fault('embedded-server-keeps-ending', { times: MAX_RESTARTS + 1, minutes: SPAN_MS / 60_000 });
      }
      this.#current = await attach(server, password, { port: this.port, stop: this.#closing.signal });
      this.#watch();
      onChange('back');
    } catch (cause) {
      if (this.#closing.signal.aborted) return;
      const { data, log } = server;
      this.#giveUp(fault('embedded-server-lost', { data, log, cause: factOf(cause) }, { cause }));
    }
  }
}

/**
 * Waits for the end of a server. Its process does not keep Node.js alive, so without the timer
 * Node.js could exit after the server has removed its pid file and before it is gone.
 */
async function ended(exited: Promise<void> | undefined): Promise<void> {
  const alive = setInterval(() => {}, 1_000);
  try {
    await exited;
  } finally {
    clearInterval(alive);
  }
}
