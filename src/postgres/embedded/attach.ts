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
  /** Resolves at the end of the server, if this process started it. */
  readonly exited: Promise<void> | undefined;
}

interface AttachOptions {
  /** The port that other processes use already. Left out: that of the last time, or a free one. */
  readonly port?: number;
  /** Stops waiting. */
  readonly stop?: AbortSignal;
}

/**
 * Connects to the server, and starts it again if somebody stops it meanwhile. If several processes
 * do so at once, PostgreSQL lets one server run in a data directory, and the others connect to
 * that. Throws after a minute.
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
      // The pid may belong to another program by now, which looks like a running server. PostgreSQL
      // can tell.
      if (isNobody(error)) started = (await start().catch(() => undefined)) ?? started;
      await sleep(100);
    }
  }
}

/**
 * Throws if the wanted port is taken. The remains of a killed server may have it for some moments.
 */
async function portFor({ data }: Server, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return choosePort(data);
  const port = await freePort(wanted);
  if (port === undefined) throw fault('embedded-port-taken', { host: HOST, port: wanted });
  return port;
}

function isNobody(error: unknown): boolean {
  return isFault(error, 'embedded-server-elsewhere') || (error as { code?: string }).code === 'ECONNREFUSED';
}

/** Whether the server is just starting or stopping, or somebody else starts it. */
function isPassing(error: unknown, again: boolean): boolean {
  if (isFault(error, 'embedded-server-elsewhere')) return true;
  if (isFault(error, 'embedded-start-failed', 'embedded-program-failed')) {
    // The remains of a killed server can make a start fail in many ways. PostgreSQL has no codes
    // for these.
    return again || /already exists|another server|Address already in use/.test(error.fact.params.detail);
  }
  if (isFault(error, 'embedded-port-taken', 'embedded-start-timeout')) return again;
  const { code, message } = error as { code?: string; message?: string };
  return (
    ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03'].includes(code ?? '') ||
    /terminated unexpectedly/.test(message ?? '')
  );
}
