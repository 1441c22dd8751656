import { readdirSync, readlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fault } from '../../facts/fault.ts';
import { requireUnshared } from '../adapter-rules.ts';
import { sync } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { linkedToken, readData, tokenOf, unlinkStage } from './file-layout.ts';
import { removeUnlinked } from './file-pruning.ts';
import { ifThere } from './file-unsafe.ts';
import { openData, readDataFiles, readFileSeen } from './file-version.ts';

/**
 * Throws `secret-shared` where the folder's version has files of others, or a JSON file of it keys
 * of others.
 */
export function requireOwn(store: string, folder: Folder): void {
  using data = openData(folder);
  const others = [...readDataFiles(data, folder.files).keys()];
  if (others.length > 0) throw fault('secret-shared', { store, secret: folder.path, keys: others });
  for (const [file, entries] of folder.files) {
    const seen = readFileSeen(folder, file, data);
    requireUnshared(store, join(folder.path, file), entries, seen?.content);
  }
}

/**
 * Removes the versions of this store in a folder, and the names that lead to them. What somebody
 * else made stays, and so does the folder, which may have been made by hand.
 */
export async function removeSecrets(folder: Folder): Promise<void> {
  const { path } = folder;
  const isOurs = tokenOf(readData(folder)) !== undefined;
  // Before the versions, so that none is at a stage any more. Consumers read nothing from here on.
  if (isOurs) unlinkStage(folder, 'current');
  for (const stage of ['pending', 'previous'] as const) {
    if (linkedToken(folder, stage) !== undefined) unlinkStage(folder, stage);
  }
  for (const name of ifThere(() => readdirSync(path)) ?? []) {
    const token = tokenOf(name);
    if (token !== undefined) removeUnlinked(folder, token);
    else if (leadsToData(path, name)) ifThere(() => unlinkSync(join(path, name)));
  }
  if (isOurs) await sync(path);
}

/** Whether a name is a link through `..data`, and that is gone. */
function leadsToData(path: string, name: string): boolean {
  if (targetOf(join(path, name)) !== join('..data', name)) return false;
  return ifThere(() => readlinkSync(join(path, '..data'))) === undefined;
}

/** Undefined also for what is no link. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
