import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { fault } from '../../facts/fault.ts';

const { O_RDONLY, O_WRONLY, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Larger than any file that keyturn reads here. */
const MAX_BYTES = 64 * 1024;

// As root, keyturn works beside files that PostgreSQL's user may replace by a link to a file of
// root's. So nothing here follows links, and it works on handles instead of names where it can.

/** Reads a small plain file; undefined if there is none. Throws if it is something else. */
export async function readOwn(path: string): Promise<string | undefined> {
  const handle = await openPlain(path, O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Puts a file in the place of whatever has the name, in one step. Only this user may read it. */
export async function replaceOwn(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const handle = await createOwn(draft);
  try {
    await handle.writeFile(content);
    await handle.close();
    await rename(draft, path);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes a file that does not exist yet, readable by this user only. */
export function createOwn(path: string): Promise<FileHandle> {
  return open(path, 'ax', 0o600);
}

/** Appends to a plain file of the user `uid`. Throws if it is a link, or another user's. */
export async function appendTo(path: string, uid: number | undefined, content: string): Promise<void> {
  const handle = await openPlain(path, O_WRONLY | O_APPEND);
  try {
    // A file with a second name may be another user's.
    const found = await handle.stat();
    if ((uid !== undefined && found.uid !== uid) || found.nlink !== 1) {
      throw fault('embedded-file-replaced', { path });
    }
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

/** Throws unless the path is a folder of one of the users, and no link to one. */
export async function requireFolderOf(path: string, owners: readonly (number | undefined)[]): Promise<Stats> {
  const found = await lstat(path);
  if (!found.isDirectory()) throw fault('embedded-folder-expected', { path });
  if (process.geteuid && !owners.includes(found.uid)) {
    const [owner = process.geteuid()] = owners;
    throw fault('embedded-folder-of-another', { path, uid: found.uid, owner });
  }
  return found;
}

async function openPlain(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ELOOP') throw error;
    throw fault('embedded-file-expected', { path });
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw fault('embedded-file-expected', { path });
}
