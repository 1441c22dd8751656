import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from './file-disk.ts';
import type { HeldFolder } from './file-held.ts';
import { holdFolder } from './file-held.ts';
import { folderMode, giveRights, type Rights } from './file-rights.ts';
import { statOf } from './file-unsafe.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
/** Modes of folders that keyturn makes. Nobody but the owner may write to those. */
const MADE = [0o700, 0o750];

/**
 * Gives a version the rights that the configuration asks for, before consumers are led to it. It is
 * closed while it is pending, or may be of a time when the configuration said something else.
 */
export async function openVersion(path: string, rights: Rights): Promise<void> {
  using held = holdFolder(path);
  if (!held || !isOwn(held.found)) return;
  for (const entry of readdirSync(held.at, { withFileTypes: true })) {
    if (entry.isFile()) await openFile(held, entry.name, rights);
  }
  if (giveRights(held.fd, folderMode(rights), rights)) await flush(held.fd);
}

async function openFile({ at }: HeldFolder, name: string, rights: Rights): Promise<void> {
  const fd = openSync(join(at, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    // A hard link may be of a file elsewhere, which the group has no business with.
    if (!found.isFile() || found.nlink !== 1 || !isOwn(found)) return;
    if (giveRights(fd, rights.mode, rights, found)) await flush(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a folder of the store to the group that may read it, if it has a mode that keyturn makes.
 * One of another mode stays as somebody wanted it. No link is followed: whoever may swap the
 * store's folder for one would have a folder elsewhere opened.
 */
export async function openFolder(path: string, rights: Rights): Promise<void> {
  if (statOf(path)?.isDirectory() !== true) return;
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (!isOwn(found) || !MADE.includes(found.mode & 0o7777)) return;
    if (giveRights(fd, folderMode(rights), rights, found)) await flush(fd);
  } finally {
    closeSync(fd);
  }
}

function isOwn({ uid }: { readonly uid: number }): boolean {
  return uid === process.geteuid?.();
}
