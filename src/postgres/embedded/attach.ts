import { setTimeout as sleep } from 'node:timers/promises';
import { fault, isFault } from '../../facts/fault.ts';
import { type Lease, takeLease } from './lease.ts';
import { removeForeignPidFile, runningServer } from './pid-file.ts';
import { choosePort, freePort, HOST } from './port.ts';
import { type Server, type Started, startServer } from './server.ts';

const PATIENCE_MS = 60_000;

export interface Attached {
  readonly lease: Lease;
  readonly port: number;
  /** Of the server, where it was this process that started it. */
  readonly exited: Promise<void> | undefined;
}

interface AttachOptions {
  /** The only port that will do, for others have it already. Left out: that of the last time, or a free one. */
  readonly port?: number;
  /** Ends the waiting. */
  readonly stop?: AbortSignal;
}

/**
 * Connects to the server, starting it as often as someone else stops it meanwhile. Where several processes do so at
 * once, PostgreSQL lets one server run in a data directory, and the others connect to that. Throws after a minute.
 */
export async function attach(
  server: Server,
  password: string,
  { port, stop }: AttachOptions = {},
): Promise<Attached> {
  let started: Started | undefined;
  const start = async () => startServer(server, await portFor(server, port));
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const running = await runningServer(server);
      if (running) {
        const lease = await takeLease({ data: server.data, port: running.port }, password);
        return { lease, port: running.port, exited: started?.exited };
      }
      await removeForeignPidFile(server);
      started = await start();
    } catch (error) {
      if (stop?.aborted || Date.now() > deadline || !isPassing(error, port !== undefined)) throw error;
      // A pid that has come to belong to another program looks like a running server; PostgreSQL sees through it.
      if (isNobody(error)) started = (await start().catch(() => undefined)) ?? started;
      await sleep(100);
    }
  }
}

/** The port that others have may still be taken by what a killed server left, which goes within moments. */
async function portFor({ data }: Server, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return choosePort(data);
  const port = await freePort(wanted);
  if (port === undefined) throw fault('embedded-port-taken', { host: HOST, port: wanted });
  return port;
}

function isNobody(error: unknown): boolean {
  return isFault(error, 'embedded-server-elsewhere') || (error as { code?: string }).code === 'ECONNREFUSED';
}

/** Whether the fault is one of a server that is just starting, stopping, or started by someone else. */
function isPassing(error: unknown, again: boolean): boolean {
  if (isFault(error, 'embedded-server-elsewhere')) return true;
  if (isFault(error, 'embedded-start-failed', 'embedded-program-failed')) {
    // What a killed server left behind may be in the way in ways of its own. PostgreSQL says it in words only.
    return again || /already exists|another server|Address already in use/.test(error.fact.params.detail);
  }
  if (isFault(error, 'embedded-port-taken', 'embedded-start-timeout')) return again;
  const { code, message } = error as { code?: string; message?: string };
  return (
    ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03'].includes(code ?? '') ||
    /terminated unexpectedly/.test(message ?? '')
  );
}
