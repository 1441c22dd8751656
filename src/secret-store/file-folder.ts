import { chmod, lstat, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Mapping } from '../policy/policy.ts';
import { absent, sync } from './file-disk.ts';
import { type SecretEntries, secretsOf } from './secret-content.ts';
import { StoreError } from './store-error.ts';

/** A folder of the store, with the secrets of one mapping that are files in it, by file name. */
export interface Folder {
  readonly path: string;
  readonly files: ReadonlyMap<string, SecretEntries>;
}

/** The folders of a mapping; the one with the password comes first. */
export function foldersOf(root: string, mapping: Mapping): Folder[] {
  const folders = new Map<string, Map<string, SecretEntries>>();
  for (const [secret, entries] of secretsOf(mapping)) {
    const path = join(root, dirname(secret));
    const files = folders.get(path) ?? new Map<string, SecretEntries>();
    folders.set(path, files.set(basename(secret), entries));
  }
  return [...folders].map(([path, files]) => ({ path, files }));
}

/** Throws a StoreError of kind `missing` for the first file that is not there. */
export async function requireFiles(store: string, { path, files }: Folder): Promise<void> {
  for (const file of files.keys()) {
    if (await exists(join(path, file))) continue;
    throw new StoreError(
      'missing',
      `The store ${store} has no secret ${join(path, file)}; make the file, or set create: true`,
    );
  }
}

/** Makes a folder below the store's, closed to other users; one that is there keeps its mode. */
export async function makeFolder(root: string, path: string): Promise<void> {
  if (await exists(path)) return;
  // One by one, for `recursive` would leave the mode of those above to the umask.
  if (path !== dirname(path) && path !== root) await makeFolder(root, dirname(path));
  else await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await chmod(path, 0o700);
  await sync(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent)) !== undefined;
}
