import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DRAFT } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { flatNames, holdFolder, removeFlat } from './file-held.ts';
import { linkedToken, promotedAt, tokenOf, versionPath } from './file-layout.ts';
import { ifThere, statOf } from './file-unsafe.ts';

/**
 * The prefix of a version that is being removed. It has no other use, so whoever finds one, for
 * instance after a kill, goes on removing it.
 */
const PRUNED = '..pruned-';
/** Something younger may belong to another process that is about to put it at a stage. */
const ABANDONED_MS = 3_600_000;

/** Removes a version that is at no stage, and what a crash left of its making. */
export function removeUnlinked(folder: Folder, token: string): void {
  prune(folder, token);
  for (const name of namesOf(folder)) {
    if (name.startsWith(`${DRAFT}${token}-`)) removeDraft(join(folder.path, name));
  }
}

/**
 * Removes what kills left behind: versions that are half removed or empty, and versions and drafts
 * that nobody has used for an hour. What this store did not make stays, whatever its name.
 */
export function removeLeftovers(folder: Folder): void {
  const now = promotedAt(folder);
  const used = atStages(folder);
  for (const name of namesOf(folder)) {
    const path = join(folder.path, name);
    if (name.startsWith(PRUNED)) removeIfFolder(path);
    const token = tokenOf(name);
    if (token === undefined ? !name.startsWith(DRAFT) : used.has(token)) continue;
    const found = statOf(path);
    const abandoned = now !== undefined && found !== undefined && now - found.mtimeMs > ABANDONED_MS;
    if (token === undefined) {
      if (abandoned) removeDraft(path);
    } else if (found?.isDirectory()) {
      // It looks again whether another process has put it at a stage meanwhile.
      if (abandoned) prune(folder, token);
      // A version gets its files before its name, so nobody is about to use an empty one.
      else removeEmpty(path);
    }
  }
}

function prune(folder: Folder, token: string): void {
  if (atStages(folder).has(token)) return;
  const path = versionPath(folder, token);
  {
    using held = holdFolder(path);
    if (!held || !flatNames(held)) return;
  }
  // It is renamed first, in one step, so that nobody ever finds half of a version.
  const pruned = join(folder.path, `${PRUNED}${token}-${randomUUID()}`);
  const moved = ifThere(() => {
    renameSync(path, pruned);
    return true;
  });
  if (!moved) return;
  // Another process may have put it at a stage meanwhile.
  if (atStages(folder).has(token)) renameSync(pruned, path);
  else removeFlat(pruned);
}

/** The tokens of the versions that are at a stage. */
function atStages(folder: Folder): ReadonlySet<string | undefined> {
  return new Set((['current', 'pending', 'previous'] as const).map((stage) => linkedToken(folder, stage)));
}

/**
 * A draft is a folder, or a link that was about to replace another: its target is never removed.
 */
function removeDraft(path: string): void {
  const found = statOf(path);
  if (found?.isDirectory()) removeFlat(path);
  else if (found?.isSymbolicLink()) ifThere(() => unlinkSync(path));
}

function removeIfFolder(path: string): void {
  if (statOf(path)?.isDirectory()) removeFlat(path);
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {}
}

function namesOf({ path }: Folder): string[] {
  return ifThere(() => readdirSync(path)) ?? [];
}
