import { readdir, readlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fault } from '../../facts/fault.ts';
import { requireUnshared } from '../adapter-rules.ts';
import { sync } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { linkedToken, readData, tokenOf, unlinkStage } from './file-layout.ts';
import { removeUnlinked } from './file-pruning.ts';
import { absent } from './file-unsafe.ts';
import { openData, readDataFiles, readFileSeen } from './file-version.ts';

/**
 * Throws `secret-shared` where the folder's version has files of others, or a JSON file of it keys
 * of others.
 */
export async function requireOwn(store: string, folder: Folder): Promise<void> {
  await using data = await openData(folder);
  const others = [...(await readDataFiles(data)).keys()].filter((file) => !folder.files.has(file));
  if (others.length > 0) throw fault('secret-shared', { store, secret: folder.path, keys: others });
  for (const [file, entries] of folder.files) {
    const seen = await readFileSeen(folder, file, data);
    requireUnshared(store, join(folder.path, file), entries, seen?.content);
  }
}

/**
 * Removes the versions of this store in a folder, and the names that lead to them. What somebody
 * else made stays, and so does the folder, which may have been made by hand.
 */
export async function removeSecrets(folder: Folder): Promise<void> {
  const { path } = folder;
  const isOurs = tokenOf(await readData(folder)) !== undefined;
  // Before the versions, so that none is at a stage any more. Consumers read nothing from here on.
  if (isOurs) await unlinkStage(folder, 'current');
  for (const stage of ['pending', 'previous'] as const) {
    if ((await linkedToken(folder, stage)) !== undefined) await unlinkStage(folder, stage);
  }
  for (const name of (await readdir(path).catch(absent)) ?? []) {
    const token = tokenOf(name);
    if (token !== undefined) await removeUnlinked(folder, token);
    else if (await leadsToData(path, name)) await unlink(join(path, name)).catch(absent);
  }
  if (isOurs) await sync(path);
}

/** Whether a name is a link through `..data`, and that is gone. */
async function leadsToData(path: string, name: string): Promise<boolean> {
  const target = await readlink(join(path, name)).catch(() => undefined);
  if (target !== join('..data', name)) return false;
  return (await readlink(join(path, '..data')).catch(absent)) === undefined;
}
