import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clientOptions } from '../client-options.ts';
import { startupOptions } from '../session-pin.ts';
import { findBinaries } from './binaries.ts';
import { openHome, reachableBinaries } from './home.ts';
import {
  initialize,
  ProgramError,
  runningServer,
  type Server,
  type Started,
  SUPERUSER,
  startServer,
  stopServer,
} from './server.ts';
import { findServerUser } from './server-user.ts';

/** keyturn's own PostgreSQL, on loopback, as its superuser reaches it. */
export interface Embedded {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Lets go of the server, which stops with the last process that does. */
  close(): Promise<void>;
  /** Stops the server and removes the cluster with all its data. */
  destroy(): Promise<void>;
}

const HOST = '127.0.0.1';
const PATIENCE_MS = 60_000;
// Any constant does, as long as every keyturn uses the same one.
const LEASE = '7305804402551095';

/**
 * Starts the cluster kept in `folder`, or attaches to it where another process runs it; makes it the first time.
 *
 * Each process holds a lease: a session with a shared advisory lock. Who leaves last can have the lock exclusively,
 * and stops the server while holding it. The kernel closes the session of a process that was killed, so there is no
 * lock file to be stale, and a server that was orphaned is adopted by the next start.
 */
export async function openEmbedded({ folder }: { readonly folder: string }): Promise<Embedded> {
  const user = await findServerUser();
  const home = await openHome(folder, user);
  const binaries = await reachableBinaries(await findBinaries(), home, user);
  const cluster = join(home, 'cluster');
  const server: Server = {
    binaries,
    user,
    data: join(cluster, 'data'),
    log: join(cluster, 'postgresql.log'),
  };
  const password = await ensureCluster(server, home);
  await refuseOtherMajor(server);
  const { lease, port, exited } = await attach(server, password);

  return {
    host: HOST,
    port,
    user: SUPERUSER,
    password,
    async close() {
      const last = await isLast(lease);
      if (last) await stopServer(server);
      await lease.end().catch(() => {});
      if (last) await ended(exited);
    },
    async destroy() {
      await lease.end().catch(() => {});
      await stopServer(server, 'immediate');
      await ended(exited);
      await rm(home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Waits for the end of a server. A server keeps nobody from ending, so neither does waiting for it: Node.js would leave
 * between the moment the server has taken its pid file away and the moment it is gone.
 */
async function ended(exited: Promise<void> | undefined): Promise<void> {
  const alive = setInterval(() => {}, 1_000);
  try {
    await exited;
  } finally {
    clearInterval(alive);
  }
}

/** Makes the cluster unless it is there, and returns its superuser's password. */
async function ensureCluster(server: Server, home: string): Promise<string> {
  const cluster = join(home, 'cluster');
  const passwordFile = (folder: string) => join(folder, 'password');
  const known = await readFile(passwordFile(cluster), 'utf8').catch(() => undefined);
  if (known !== undefined) return known;

  // Made beside and renamed into place with its password, so that neither a crash nor two processes at once can
  // leave half of one, or a password that is not its own.
  const draft = await mkdtemp(join(home, 'cluster-'));
  if (server.user) await chown(draft, server.user.uid, server.user.gid);
  const data = join(draft, 'data');
  const password = randomBytes(24).toString('base64url');
  try {
    await initialize({ ...server, data }, { password });
    await writeFile(passwordFile(draft), password, { mode: 0o600 });
    await rename(draft, cluster);
    return password;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const other = await readFile(passwordFile(cluster), 'utf8').catch(() => undefined);
    if (other !== undefined) return other;
    throw error;
  }
}

async function refuseOtherMajor({ data, binaries }: Server): Promise<void> {
  const major = (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  if (binaries.version.startsWith(`${major}.`)) return;
  throw new Error(
    `The embedded cluster in ${data} is of PostgreSQL ${major}, and this keyturn brings ${binaries.version}; dump it with the keyturn that made it, or move it away to begin with an empty one`,
  );
}

interface Attached {
  readonly lease: pg.Client;
  readonly port: number;
  /** Of the server, where it was this process that started it. */
  readonly exited: Promise<void> | undefined;
}

/** Connects to the server, starting it as often as someone else stops it meanwhile. */
async function attach(server: Server, password: string): Promise<Attached> {
  let started: Started | undefined;
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const running = await runningServer(server);
      if (running) {
        const lease = await takeLease(running.port, password);
        return { lease, port: running.port, exited: started?.exited };
      }
      started = await startServer(server, await choosePort(server));
    } catch (error) {
      if (Date.now() > deadline || !isPassing(error)) throw error;
      started = (await startUnlessRunning(server, error)) ?? started;
      await sleep(100);
    }
  }
}

// A pid that has come to belong to another program looks like a running server; PostgreSQL itself sees through it.
async function startUnlessRunning(server: Server, error: unknown): Promise<Started | undefined> {
  if ((error as { code?: string }).code !== 'ECONNREFUSED') return undefined;
  return startServer(server, await choosePort(server)).catch(() => undefined);
}

async function takeLease(port: number, password: string): Promise<pg.Client> {
  const lease = new pg.Client({
    // Something else may answer on the port by now.
    ...clientOptions({
      host: HOST,
      port,
      user: SUPERUSER,
      password,
      database: 'postgres',
      tls: { mode: 'disable' },
    }),
    options: startupOptions({ host: HOST, port }, 'lease', { statementTimeout: 0 }),
    application_name: 'keyturn lease',
    keepAlive: true,
  });
  lease.on('error', () => {});
  try {
    await lease.connect();
    // Waits while another process stops the server, and is then cut off.
    await lease.query('SELECT pg_catalog.pg_advisory_lock_shared($1)', [LEASE]);
    return lease;
  } catch (error) {
    await lease.end().catch(() => {});
    throw error;
  }
}

async function isLast(lease: pg.Client): Promise<boolean> {
  try {
    await lease.query('SELECT pg_catalog.pg_advisory_unlock_shared($1)', [LEASE]);
    const { rows } = await lease.query('SELECT pg_catalog.pg_try_advisory_lock($1) AS last', [LEASE]);
    return rows[0].last;
  } catch {
    // The server is gone already.
    return false;
  }
}

/** Whether the fault is one of a server that is just starting, stopping, or started by someone else. */
function isPassing(error: unknown): boolean {
  if (error instanceof ProgramError)
    return /already exists|another server|Address already in use/.test(error.message);
  const { code, message } = error as { code?: string; message?: string };
  return (
    ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P02', '57P03'].includes(code ?? '') ||
    /terminated unexpectedly/.test(message ?? '')
  );
}

/** The port of the last time, or a free one if that is taken by now; remembered for the next time. */
async function choosePort({ data }: Server): Promise<number> {
  const file = join(data, '..', 'port');
  const remembered = Number(await readFile(file, 'utf8').catch(() => '0'));
  const port = (await freePort(remembered)) ?? (await freePort(0));
  if (port === undefined) throw new Error(`No port on ${HOST} is free`);
  await writeFile(file, String(port));
  return port;
}

function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(wanted, HOST, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
