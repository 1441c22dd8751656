import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeldFolder } from './file-held.ts';
import { holdFolder } from './file-held.ts';
import { folderMode, giveRights, type Rights } from './file-rights.ts';
import { absent } from './file-unsafe.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
/** Modes of folders that keyturn makes. Nobody but the owner may write to those. */
const MADE = [0o700, 0o750];

/**
 * Gives a version the rights that the configuration asks for, before consumers are led to it. It is
 * closed while it is pending, or may be of a time when the configuration said something else.
 */
export async function openVersion(path: string, rights: Rights): Promise<void> {
  await using held = await holdFolder(path);
  if (!held || !isOwn(await held.handle.stat())) return;
  for (const entry of await readdir(held.at, { withFileTypes: true })) {
    if (entry.isFile()) await openFile(held, entry.name, rights);
  }
  if (await giveRights(held.handle, folderMode(rights), rights)) await held.handle.sync();
}

async function openFile({ at }: HeldFolder, name: string, rights: Rights): Promise<void> {
  const handle = await open(join(at, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    // A hard link may be of a file elsewhere, which the group has no business with.
    if (!found.isFile() || found.nlink !== 1 || !isOwn(found)) return;
    if (await giveRights(handle, rights.mode, rights)) await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Opens a folder of the store to the group that may read it, if it has a mode that keyturn makes.
 * One of another mode stays as somebody wanted it. No link is followed: whoever may swap the
 * store's folder for one would have a folder elsewhere opened.
 */
export async function openFolder(path: string, rights: Rights): Promise<void> {
  if ((await lstat(path).catch(absent))?.isDirectory() !== true) return;
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const found = await handle.stat();
    if (!isOwn(found) || !MADE.includes(found.mode & 0o7777)) return;
    if (await giveRights(handle, folderMode(rights), rights)) await handle.sync();
  } finally {
    await handle.close();
  }
}

function isOwn({ uid }: { readonly uid: number }): boolean {
  return uid === process.geteuid?.();
}
