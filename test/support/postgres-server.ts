import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findBinaries } from '../../src/postgres/embedded/binaries.ts';
import { reachableBinaries } from '../../src/postgres/embedded/home.ts';
import {
  initialize,
  type Server,
  SUPERUSER,
  startServer,
  stopServer,
} from '../../src/postgres/embedded/server.ts';
import { findServerUser } from '../../src/postgres/embedded/server-user.ts';
import type { ServerAddress } from './scenario.ts';

/** A PostgreSQL of a test's own, scram-sha-256 only, on a free port. */
export interface PostgresServer extends ServerAddress, AsyncDisposable {
  /** Its programs and folders. */
  readonly server: Server;
  readLog(): Promise<string>;
  start(): Promise<void>;
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again as a standby server, which replays and lets nobody write. */
  demote(): Promise<void>;
}

export const OLDER_VERSIONS = [14, 15, 16, 17] as const;
export type OlderVersion = (typeof OLDER_VERSIONS)[number];

const VERSIONS = resolve(import.meta.dirname, 'postgres-versions');

/** Whether the older versions were installed: `npm ci --prefix test/support/postgres-versions`. */
export const haveOlderVersions = existsSync(join(VERSIONS, 'node_modules'));

export interface PostgresOptions {
  /** Left out: the version that keyturn embeds. */
  readonly version?: OlderVersion;
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startPostgres({
  version,
  settings = {},
}: PostgresOptions = {}): Promise<PostgresServer> {
  const user = await findServerUser();
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-postgres-'));
  await chmod(folder, 0o755);
  const found = version
    ? await findBinaries(join(VERSIONS, 'package.json'), `postgres-${version}`)
    : await findBinaries();
  const binaries = await reachableBinaries(found, folder, user);
  const server: Server = { binaries, user, data: join(folder, 'data'), log: join(folder, 'log') };
  const password = `?'";\\&%@/: ${randomBytes(6).toString('hex')}`;
  // A test's data may be lost.
  await initialize(server, { password, settings: { fsync: 'off', ...settings } });
  const port = await freePort();
  return running(server, { port, password, folder });
}

/** Starts a server that is there, and hands it over. Disposing of it removes the folder. */
export async function running(
  server: Server,
  { port, password, folder }: { readonly port: number; readonly password: string; readonly folder: string },
): Promise<PostgresServer> {
  let { exited } = await startServer(server, port);
  return {
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    server,
    readLog: () => readFile(server.log, 'utf8'),
    async start() {
      ({ exited } = await startServer(server, port));
    },
    async stop(mode) {
      await stopServer(server, mode);
      await exited;
    },
    async demote() {
      await stopServer(server, 'fast');
      await exited;
      // https://www.postgresql.org/docs/current/warm-standby.html: without a primary it waits for more WAL in its own folder.
      const signal = join(server.data, 'standby.signal');
      await writeFile(signal, '');
      if (server.user) await chown(signal, server.user.uid, server.user.gid);
      ({ exited } = await startServer(server, port));
    },
    async [Symbol.asyncDispose]() {
      await stopServer(server, 'immediate');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
