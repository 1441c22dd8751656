import { createHash } from 'node:crypto';
import { cp, mkdir, readlink, realpath, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fault } from '../../facts/fault.ts';
import type { Binaries } from './binaries.ts';
import { requireFolderOf } from './own-files.ts';
import { canReach, type ServerUser } from './server-user.ts';

const ELSEWHERE = '/var/lib/keyturn';

/**
 * Makes the folder of a cluster and returns its real path. If the server's user cannot enter it
 * (root's server below a folder of mode 700), the cluster lives below /var/lib/keyturn, and the
 * folder is a link to it.
 */
export async function openHome(folder: string, user: ServerUser | undefined): Promise<string> {
  const parent = dirname(resolve(folder));
  await mkdir(parent, { recursive: true });
  const hash = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16);
  const elsewhere = join(ELSEWHERE, hash);
  await refuseOtherHome(folder, elsewhere);
  if (await canReach(parent, user)) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const home = await realpath(folder);
    await requireOwn(home);
    return home;
  }
  await mkdir(elsewhere, { recursive: true, mode: 0o755 });
  for (const path of [ELSEWHERE, elsewhere]) await requireOwn(path);
  await symlink(elsewhere, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' || (await readlink(folder).catch(() => '')) !== elsewhere) throw error;
  });
  return elsewhere;
}

/** A folder that was copied or moved may have a link to the cluster of the original. */
async function refuseOtherHome(folder: string, own: string): Promise<void> {
  const target = await readlink(folder).catch(() => undefined);
  if (target === undefined || dirname(target) !== ELSEWHERE || target === own) return;
  throw fault('embedded-folder-linked', { folder, target, own });
}

/**
 * Throws if another user could replace what is in a folder. For root, PostgreSQL's user is one of
 * them.
 */
async function requireOwn(path: string): Promise<void> {
  const { mode } = await requireFolderOf(path, [process.geteuid?.(), 0]);
  const tooMany = process.geteuid?.() === 0 ? 0o022 : 0o002;
  if ((mode & tooMany) === 0 || !process.geteuid) return;
  throw fault('embedded-folder-writable', { path });
}

/**
 * The same programs where the server's user can run them: copied into the home if it cannot reach
 * them.
 */
export async function reachableBinaries(
  binaries: Binaries,
  home: string,
  user: ServerUser | undefined,
): Promise<Binaries> {
  if (await canReach(binaries.initdb, user)) return binaries;
  const root = join(home, `programs-${binaries.version}`);
  if (!(await canReach(join(root, 'bin', basename(binaries.initdb)), user))) {
    // Copied, then renamed, so that another process never sees half of it.
    const draft = `${root}.${process.pid}`;
    await cp(binaries.root, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, root).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return {
    ...binaries,
    root,
    initdb: join(root, 'bin', basename(binaries.initdb)),
    postgres: join(root, 'bin', basename(binaries.postgres)),
  };
}
