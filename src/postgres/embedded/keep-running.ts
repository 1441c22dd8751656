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
  const closing = new AbortController();
  const ends: number[] = [];
  let current = await attach(server, password);
  let restarting = Promise.resolve();
  let giveUp: (fault: Error) => void = () => {};
  const lost = new Promise<Error>((resolve) => {
    giveUp = resolve;
  });
  const { port } = current;

  async function restart(): Promise<void> {
    onChange('lost');
    const now = Date.now();
    ends.push(now);
    try {
      if (ends.filter((time) => now - time < SPAN_MS).length > MAX_RESTARTS) {
        throw fault('embedded-server-keeps-ending', { times: MAX_RESTARTS + 1, minutes: SPAN_MS / 60_000 });
      }
      current = await attach(server, password, { port, stop: closing.signal });
      watch(current);
      onChange('back');
    } catch (cause) {
      if (closing.signal.aborted) return;
      const { data, log } = server;
      giveUp(fault('embedded-server-lost', { data, log, cause: factOf(cause) }, { cause }));
    }
  }

  function watch({ lease }: Attached): void {
    void lease.ended.then(() => {
      if (!closing.signal.aborted) restarting = restart();
    });
  }
  watch(current);

  return {
    port,
    lost,
    async close() {
      closing.abort();
      await restarting;
      const { lease, exited } = current;
      const last = await isLast(lease);
      if (last) await stopServer(server);
      await lease.client.end().catch(() => {});
      if (last) await ended(exited);
    },
    async destroy() {
      closing.abort();
      await restarting;
      await current.lease.client.end().catch(() => {});
      await stopServer(server, 'immediate');
      await ended(current.exited);
    },
  };
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
