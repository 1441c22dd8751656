import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rename, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { holdFolder, removeFlat } from './file-held.ts';
import { giveRights, type Rights } from './file-rights.ts';
import { absent, Unsafe } from './file-unsafe.ts';

/**
 * The prefix of what is being made, and of what a crash left of it; the rotation's token follows.
 */
export const DRAFT = '..draft-';

/**
 * Flushes the names of a folder to disk. Without it a power failure may undo the latest of them.
 */
export async function sync(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync().finally(() => handle.close());
}

/**
 * Makes a folder that only this user may enter, whatever the umask. Throws EEXIST where the name is
 * taken.
 */
export async function makeOwnFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  // Only where it must be, because somebody could swap the name.
  if (((await lstat(path)).mode & 0o777) !== 0o700) await chmod(path, 0o700);
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
  await makeOwnFolder(draft);
  try {
    await writeFiles(draft, contents, rights);
    await beforeItIsThere?.();
    await rename(draft, path);
    return true;
  } catch (error) {
    await removeFlat(draft);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
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
  await using held = await holdFolder(folder);
  if (!held) throw Unsafe.because('folder-removed', { path: folder });
  for (const [file, content] of contents) {
    const handle = await open(join(held.at, file), 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await giveRights(handle, rights.mode, rights);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  await held.handle.sync();
}

/** Makes a symbolic link, or replaces a link or file by it, in one step. Call `sync` after it. */
export async function replaceLink(path: string, target: string, token: string): Promise<void> {
  const draft = draftOf(path, token);
  await symlink(target, draft);
  try {
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(absent);
    throw error;
  }
}

function draftOf(path: string, token: string): string {
  return join(dirname(path), `${DRAFT}${token}-${randomUUID()}`);
}
