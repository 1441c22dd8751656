import { constants, existsSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { absent, occupantOf, requireOwner, Unsafe } from './file-unsafe.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/**
 * A folder that is open. What is done below `at` is done in that folder, whatever has its name by
 * now.
 */
export interface HeldFolder extends AsyncDisposable {
  readonly at: string;
  readonly handle: FileHandle;
}

/**
 * Opens a folder of this store. Undefined where there is none; throws Unsafe where there is
 * something else, or the folder belongs to another user. A link is never followed.
 *
 * Node.js has no openat. Linux has the same under /proc/self/fd. Elsewhere, whoever may write the
 * folder above could swap the name after it was opened.
 */
export async function holdFolder(path: string): Promise<HeldFolder | undefined> {
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(async (error) => {
    // ENOTDIR is what Linux says of a link here, ELOOP what others say.
    if (error.code === 'ENOTDIR' || error.code === 'ELOOP') await requireFolder(path);
    return absent(error);
  });
  if (!handle) return undefined;
  try {
    requireOwner(path, await handle.stat());
  } catch (error) {
    await handle.close();
    throw error;
  }
  const own = `/proc/self/fd/${handle.fd}`;
  return {
    at: existsSync(own) ? own : path,
    handle,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Whether there is a folder of this store. Throws Unsafe as `holdFolder` does. */
export async function requireFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(absent);
  if (found === undefined) return false;
  if (!found.isDirectory()) {
    throw Unsafe.because('path-foreign', { path, found: await occupantOf(path), expected: 'folder' });
  }
  requireOwner(path, found);
  return true;
}

/** Reads a plain file; undefined where there is none. Throws Unsafe for anything else. */
export async function readPlain(
  at: string,
  shown: string,
): Promise<{ readonly content: Buffer; readonly found: Stats } | undefined> {
  const refuse = async () =>
    Unsafe.because('path-foreign', { path: shown, found: await occupantOf(at), expected: 'file' });
  // Without O_NONBLOCK, open waits for the writer of a pipe.
  const handle = await open(at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(async (error) => {
    // ENXIO: a socket.
    if (error.code === 'ELOOP' || error.code === 'ENXIO') throw await refuse();
    return absent(error);
  });
  if (!handle) return undefined;
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw await refuse();
    return { content: await handle.readFile(), found };
  } finally {
    await handle.close();
  }
}

/** Whether a folder holds nothing but files: keyturn makes no other. */
export async function isFlat({ at }: HeldFolder): Promise<boolean> {
  return (await readdir(at, { withFileTypes: true })).every((entry) => !entry.isDirectory());
}

/**
 * Removes a folder of files. It never goes deeper: one that holds a folder stays, and so does what
 * took its place meanwhile. If it stops halfway, the next call goes on.
 */
export async function removeFlat(path: string): Promise<void> {
  await using held = await holdFolder(path);
  if (!held || !(await isFlat(held))) return;
  for (const name of await readdir(held.at)) await unlink(join(held.at, name)).catch(absent);
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(String(error.code))) throw error;
  });
}
