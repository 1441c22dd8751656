import { accessSync, constants, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Mapping } from '../../config/policy.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import { type SecretEntries, secretsOf } from '../secret-content.ts';
import { makeOwnFolder, sync } from './file-disk.ts';
import { requireSafe } from './file-guard.ts';
import { openFolder } from './file-opening.ts';
import { isReadByGroup, type Rights } from './file-rights.ts';
import { absent, isErrno, statOf } from './file-unsafe.ts';

/** A folder of the store, with the secrets of one mapping that are files in it, by file name. */
export interface Folder {
  readonly path: string;
  readonly files: ReadonlyMap<string, SecretEntries>;
}

/**
 * The folders of a mapping, that of the password first. Throws Unsafe where another user could swap
 * what keyturn makes.
 */
export function safeFolders(root: string, mapping: Mapping): Folder[] {
  const folders = foldersOf(root, mapping);
  for (const { path } of folders) requireSafe(root, path);
  return folders;
}

/** The folders of a mapping, whoever may write there. */
export function foldersOf(root: string, mapping: Mapping): Folder[] {
  const folders = new Map<string, Map<string, SecretEntries>>();
  for (const [secret, entries] of secretsOf(mapping)) {
    const path = join(root, dirname(secret));
    const files = folders.get(path) ?? new Map<string, SecretEntries>();
    folders.set(path, files.set(basename(secret), entries));
  }
  return [...folders].map(([path, files]) => ({ path, files }));
}

/** A `secret-missing` for each file that is not there. */
export function missingFiles(store: string, { path, files }: Folder): Fact<'secret-missing'>[] {
  const missing: Fact<'secret-missing'>[] = [];
  for (const file of files.keys()) {
    const secret = join(path, file);
    if (!exists(secret)) missing.push(fact('secret-missing', { store, secret }));
  }
  return missing;
}

/** Throws `secret-missing` for the first file that is not there. */
export function requireFiles(store: string, folder: Folder): void {
  const [missing] = missingFiles(store, folder);
  if (missing) throw new Fault(missing);
}

/** Throws what the file system says where this user may not write in a folder, or make it. */
export function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    absent(error);
    if (path !== dirname(path)) requireWritable(dirname(path));
  }
}

/**
 * Makes a folder below the store's, closed to users whom the rights do not name; one that is there
 * keeps its mode. Throws as `safeFolders` does.
 */
export async function makeFolder(root: string, path: string, rights: Rights): Promise<void> {
  const isThere = exists(path);
  // Then those above it are there, too, and none has to be opened to a group.
  if (isThere && !isReadByGroup(rights)) return;
  // One by one: `recursive` would leave the mode of those above to the umask.
  if (path !== dirname(path) && path !== root) await makeFolder(root, dirname(path), rights);
  else if (!isThere) mkdirSync(dirname(path), { recursive: true });
  if (!isThere) {
    try {
      makeOwnFolder(path);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    await sync(dirname(path));
    // Somebody else may have been quicker.
    requireSafe(root, path);
  }
  if (isReadByGroup(rights)) await openFolder(path, rights);
}

function exists(path: string): boolean {
  return statOf(path) !== undefined;
}
