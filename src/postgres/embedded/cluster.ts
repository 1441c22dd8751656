import { randomBytes } from 'node:crypto';
import { chmod, lchown, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fault } from '../../facts/fault.ts';
import { findBinaries } from './binaries.ts';
import { openHome, reachableBinaries } from './home.ts';
import { keepRunning, type ServerChange } from './keep-running.ts';
import { readOwn, replaceOwn, requireFolderOf } from './own-files.ts';
import { HOST } from './port.ts';
import { initialize, type Server, SUPERUSER } from './server.ts';
import { findServerUser, removeAs } from './server-user.ts';

/** keyturn's own PostgreSQL, on loopback, as its superuser reaches it. */
export interface Embedded {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Resolves with the fault when the server has ended and cannot be started again. */
  readonly lost: Promise<Error>;
  /** Stops using the server. It stops when the last process does. */
  close(): Promise<void>;
  /** Stops the server and removes the cluster with all its data. */
  destroy(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly folder: string;
  /** Called when the server has ended though it is in use, and when it runs again. */
  readonly onChange?: (change: ServerChange) => void;
}

/**
 * Starts the cluster in `folder`, or attaches to it if another process runs it. Makes it the first
 * time.
 */
export async function openEmbedded({ folder, onChange = () => {} }: EmbeddedOptions): Promise<Embedded> {
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
  const attachment = await keepRunning(server, password, onChange);
  const { port, lost } = attachment;

  return {
    host: HOST,
    port,
    user: SUPERUSER,
    password,
    lost,
    close: () => attachment.close(),
    async destroy() {
      await attachment.destroy();
      // Root must not remove what PostgreSQL's user may change meanwhile.
      if (user) await removeAs(user, server.data);
      await rm(home, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes the cluster unless it exists, and returns its superuser's password. */
async function ensureCluster(server: Server, home: string): Promise<string> {
  const cluster = join(home, 'cluster');
  const known = await knownPassword(server, cluster);
  if (known !== undefined) return known;

  // Made in a draft and renamed with its password. So neither a crash nor two processes at once
  // leave half a cluster, or one with the password of another.
  const draft = await mkdtemp(join(home, 'cluster-'));
  // The server's user may enter, but makes nothing here: log, port and password are root's.
  if (server.user) await chmod(draft, 0o711);
  const data = join(draft, 'data');
  const password = randomBytes(24).toString('base64url');
  try {
    await initialize({ ...server, data }, { password });
    await replaceOwn(join(draft, 'password'), password);
    await rename(draft, cluster);
    return password;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const other = await knownPassword(server, cluster);
    if (other !== undefined) return other;
    throw error;
  }
}

async function knownPassword({ user, data }: Server, cluster: string): Promise<string | undefined> {
  const password = await readOwn(join(cluster, 'password'));
  if (password === undefined) return undefined;
  if (user) {
    await takeFromServerUser(cluster, user.uid);
    await requireFolderOf(data, [user.uid]);
  }
  return password;
}

/**
 * Older versions gave the whole folder to PostgreSQL's user, who could replace root's files by
 * links.
 */
async function takeFromServerUser(cluster: string, uid: number): Promise<void> {
  const found = await requireFolderOf(cluster, [0, uid]);
  if (found.uid !== 0) await lchown(cluster, 0, 0);
  if ((found.mode & 0o777) !== 0o711) await chmod(cluster, 0o711);
}

async function refuseOtherMajor({ data, binaries }: Server): Promise<void> {
  const major = ((await readOwn(join(data, 'PG_VERSION'))) ?? '').trim();
  if (binaries.version.startsWith(`${major}.`)) return;
  // Nothing else that the file may hold is shown.
  const found = /^\d{1,3}$/.test(major) ? Number(major) : null;
  throw fault('embedded-version-changed', { data, found, brought: binaries.version });
}
