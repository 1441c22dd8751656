import { randomUUID } from 'node:crypto';
import { lstat, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DRAFT } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { holdFolder, isFlat, removeFlat } from './file-held.ts';
import { linkedToken, promotedAt, tokenOf, versionPath } from './file-layout.ts';
import { absent } from './file-unsafe.ts';

/**
 * The prefix of a version that is being removed. It has no other use, so whoever finds one, for
 * instance after a kill, goes on removing it.
 */
const PRUNED = '..pruned-';
/** Something younger may belong to another process that is about to put it at a stage. */
const ABANDONED_MS = 3_600_000;

/** Removes a version that is at no stage, and what a crash left of its making. */
export async function removeUnlinked(folder: Folder, token: string): Promise<void> {
  await prune(folder, token);
  for (const name of await namesOf(folder)) {
    if (name.startsWith(`${DRAFT}${token}-`)) await removeDraft(join(folder.path, name));
  }
}

/**
 * Removes what kills left behind: versions that are half removed or empty, and versions and drafts
 * that nobody has used for an hour. What this store did not make stays, whatever its name.
 */
export async function removeLeftovers(folder: Folder): Promise<void> {
  const now = await promotedAt(folder);
  for (const name of await namesOf(folder)) {
    const path = join(folder.path, name);
    if (name.startsWith(PRUNED)) await removeIfFolder(path);
    const token = tokenOf(name);
    if (token === undefined && !name.startsWith(DRAFT)) continue;
    const found = await lstat(path).catch(absent);
    const abandoned = now !== undefined && found !== undefined && now - found.mtimeMs > ABANDONED_MS;
    if (token === undefined) {
      if (abandoned) await removeDraft(path);
    } else if (found?.isDirectory() && !(await isAtStage(folder, token))) {
      if (abandoned) await prune(folder, token);
      // A version gets its files before its name, so nobody is about to use an empty one.
      else await rmdir(path).catch(() => {});
    }
  }
}

async function prune(folder: Folder, token: string): Promise<void> {
  if (await isAtStage(folder, token)) return;
  const path = versionPath(folder, token);
  {
    await using held = await holdFolder(path);
    if (!held || !(await isFlat(held))) return;
  }
  // It is renamed first, in one step, so that nobody ever finds half of a version.
  const pruned = join(folder.path, `${PRUNED}${token}-${randomUUID()}`);
  const moved = await rename(path, pruned).then(() => true, absent);
  if (!moved) return;
  // Another process may have put it at a stage meanwhile.
  if (await isAtStage(folder, token)) await rename(pruned, path);
  else await removeFlat(pruned);
}

async function isAtStage(folder: Folder, token: string): Promise<boolean> {
  const linked = await Promise.all(
    (['current', 'pending', 'previous'] as const).map((stage) => linkedToken(folder, stage)),
  );
  return linked.includes(token);
}

/**
 * A draft is a folder, or a link that was about to replace another: its target is never removed.
 */
async function removeDraft(path: string): Promise<void> {
  const found = await lstat(path).catch(absent);
  if (found?.isDirectory()) await removeFlat(path);
  else if (found?.isSymbolicLink()) await unlink(path).catch(absent);
}

async function removeIfFolder(path: string): Promise<void> {
  if ((await lstat(path).catch(absent))?.isDirectory()) await removeFlat(path);
}

async function namesOf({ path }: Folder): Promise<string[]> {
  return (await readdir(path).catch(absent)) ?? [];
}
