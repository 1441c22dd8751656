import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fault } from '../../facts/fault.ts';
import type { PromoteOptions, Stage } from '../secret-store.ts';
import { replaceLink, sync, writeFolder } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import {
  isLinked,
  link,
  linkCurrent,
  linkedToken,
  readData,
  tokenOf,
  unlinkPending,
  versionPath,
} from './file-layout.ts';
import { openVersion } from './file-opening.ts';
import { removeLeftovers, removeUnlinked } from './file-pruning.ts';
import type { Rights } from './file-rights.ts';
import { isWhole, openData, readDataFiles, readFileSeen } from './file-version.ts';

/**
 * Throws `version-not-promotable` unless the version is whole in this folder, and at one of the
 * stages.
 */
export function requirePromotable(
  store: string,
  folder: Folder,
  token: string,
  stages: readonly Stage[],
): void {
  if (isPromotable(folder, token, stages)) return;
  throw fault('version-not-promotable', { store, secret: folder.path, token });
}

function isPromotable(folder: Folder, token: string, stages: readonly Stage[]): boolean {
  let linked = false;
  for (const stage of stages) {
    linked ||= linkedToken(folder, stage) === token;
  }
  return linked && isWhole(folder, token);
}

/**
 * Makes a version current, in one rename for all names of the folder, and the one before it
 * previous. `recheck` is called before that, and `confirm` right before each change that consumers
 * see: a process may be stopped anywhere for a long time.
 */
export async function promoteFolder(
  folder: Folder,
  token: string,
  rights: Rights,
  { recheck, confirm }: Pick<PromoteOptions, 'confirm'> & { readonly recheck: () => void },
): Promise<void> {
  const before = linkedToken(folder, 'previous');
  if (!isOurs(folder)) {
    // Otherwise it would be at no stage while `..data` leads to what is taken over.
    if (linkedToken(folder, 'current') === token) await link(folder, 'pending', token);
    await takeOver(folder, token, rights, { confirm });
  }
  await openVersion(versionPath(folder, token), rights);
  await linkNames(folder, token);
  const current = linkedToken(folder, 'current');
  if (current !== token) {
    recheck();
    if (current !== undefined) await link(folder, 'previous', current, token);
    await linkCurrent(folder, token, { confirm });
    if (before !== undefined) removeUnlinked(folder, before);
  }
  await unlinkPending(folder, token);
  // What stays because of a fault is found again by the next promotion.
  try {
    removeLeftovers(folder);
  } catch {}
}

/** Whether consumers see one version of this store under each name, or nothing at all. */
function isOurs(folder: Folder): boolean {
  const target = readData(folder);
  if (target !== undefined && tokenOf(target) === undefined) return false;
  for (const file of folder.files.keys()) if (isLinked(folder, file) === false) return false;
  return true;
}

/**
 * Copies what consumers see into a version and points `..data` at it: files that somebody put
 * there, even in the place of our links, and a layout that another tool made. Replacing each name
 * by its link then changes nothing for a reader, and the promotion after it changes all names at
 * once. What another tool made stays beside it.
 */
async function takeOver(
  folder: Folder,
  token: string,
  rights: Rights,
  options: Pick<PromoteOptions, 'confirm'>,
): Promise<void> {
  using data = openData(folder);
  const contents = new Map<string, string | Uint8Array>(readDataFiles(data));
  for (const file of folder.files.keys()) {
    const seen = readFileSeen(folder, file, data);
    if (seen !== undefined) contents.set(file, seen.content);
  }
  if (contents.size === 0) return;
  const taken = randomUUID();
  await writeFolder(versionPath(folder, taken), token, contents, rights);
  await openVersion(versionPath(folder, taken), rights);
  try {
    await linkCurrent(folder, taken, { by: token, ...options });
  } catch (error) {
    removeUnlinked(folder, taken);
    throw error;
  }
}

/** Makes each name a link through `..data`, replacing a plain file in one step. */
async function linkNames(folder: Folder, token: string): Promise<void> {
  for (const file of folder.files.keys()) {
    if (isLinked(folder, file)) continue;
    replaceLink(join(folder.path, file), join('..data', file), token);
  }
  await sync(folder.path);
}
