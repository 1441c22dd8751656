import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PromoteOptions } from '../secret-store.ts';
import { holdFolder, removeFlat } from './file-held.ts';
import { giveRights, type Rights } from './file-rights.ts';
import { ifThere, isErrno, Unsafe } from './file-unsafe.ts';

/**
 * The prefix of what is being made, and of what a crash left of it; the rotation's token follows.
 */
export const DRAFT = '..draft-';

const { O_RDONLY, O_DIRECTORY, O_NONBLOCK } = constants;

/**
 * Flushes an open file or folder to disk.
 *
 * Of all calls to the file system this store awaits only this one, which waits for the disk, and
 * the rename of `publishLink`. Any other takes microseconds, ten times as much through the thread
 * pool of Node.js, and one version takes a hundred of them.
 *
 * So a mount that hangs mostly stops the whole worker: it gives no sign of life, PostgreSQL ends
 * its locks, and its jobs go to another worker. Through the pool it would stop, too, only later:
 * the pool has four threads, which DNS and everything else share.
 */
export const flush = promisify(fsync);

/**
 * Flushes the names of a folder to disk. Without it a power failure may undo the latest of them.
 */
export async function sync(folder: string): Promise<void> {
  const fd = openSync(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  try {
    await flush(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a folder that only this user may enter, whatever the umask. Throws EEXIST where the name is
 * taken.
 */
export function makeOwnFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  // Only where it must be, because somebody could swap the name.
  if ((lstatSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700);
}

/**
 * Makes a folder of files with these rights. The folder itself is closed to others until a version
 * becomes current. It is whole and on disk before it has its name, and `beforeItIsThere` is called
 * in between. False when another process was quicker: what that one made stays.
 */
export async function writeFolder(
  path: string,
  token: string,
  contents: ReadonlyMap<string, string | Uint8Array>,
  rights: Rights,
  beforeItIsThere?: () => Promise<void>,
): Promise<boolean> {
  const draft = draftOf(path, token);
  makeOwnFolder(draft);
  try {
    await writeFiles(draft, contents, rights);
    await beforeItIsThere?.();
    renameSync(draft, path);
    return true;
  } catch (error) {
    removeFlat(draft);
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  } finally {
    await sync(dirname(path));
  }
}

async function writeFiles(
  folder: string,
  contents: ReadonlyMap<string, string | Uint8Array>,
  rights: Rights,
): Promise<void> {
  using held = holdFolder(folder);
  if (!held) throw Unsafe.because('folder-removed', { path: folder });
  for (const [file, content] of contents) {
    const fd = openSync(join(held.at, file), 'wx', 0o600);
    try {
      writeFileSync(fd, content);
      giveRights(fd, rights.mode, rights);
      await flush(fd);
    } finally {
      closeSync(fd);
    }
  }
  await flush(held.fd);
}

/** Makes a symbolic link, or replaces a link or file by it, in one step. Call `sync` after it. */
export function replaceLink(path: string, target: string, token: string): void {
  const draft = draftOf(path, token);
  symlinkSync(target, draft);
  try {
    renameSync(draft, path);
  } catch (error) {
    ifThere(() => unlinkSync(draft));
    throw error;
  }
}

/**
 * As `replaceLink`, for the one link whose change consumers see. If the mount hung before, another
 * worker may have the lock and have published since: so `confirm` is asked right before the rename,
 * and where it throws nothing has changed. The rename does not block, so while it hangs the worker
 * gives signs of life and keeps its lock.
 */
export async function publishLink(
  path: string,
  target: string,
  token: string,
  { confirm }: Pick<PromoteOptions, 'confirm'>,
): Promise<void> {
  const draft = draftOf(path, token);
  symlinkSync(target, draft);
  try {
    await confirm?.();
    await rename(draft, path);
  } catch (error) {
    ifThere(() => unlinkSync(draft));
    throw error;
  }
}

function draftOf(path: string, token: string): string {
  return join(dirname(path), `${DRAFT}${token}-${randomUUID()}`);
}
