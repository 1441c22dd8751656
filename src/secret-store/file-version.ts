import { lstat, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { absent, DRAFT, replaceLink, sync, writeFolder } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { joinParts } from './read-version.ts';
import { readContent, writeContent } from './secret-content.ts';
import type { Fields, Stage, Version } from './secret-store.ts';

// The layout of a mounted Kubernetes secret: https://kubernetes.io/docs/concepts/configuration/secret/
//
//   app/..version-<token>/username   a version, never altered once it has this name
//   app/..data -> ..version-<token>  the current one; ..pending and ..previous likewise
//   app/username -> ..data/username  what consumers open
//
// Moving `..data` is one rename, so all names of a folder change at the same instant. A folder that another tool laid
// out so has other names in the place of `..version-<token>`.

const LINKS: Readonly<Record<Stage, string>> = {
  current: '..data',
  pending: '..pending',
  previous: '..previous',
};
const VERSION = '..version-';

/** Where a version of a folder is. */
export function versionPath({ path }: Folder, token: string): string {
  return join(path, VERSION + token);
}

/** Whether a folder has a version, at whatever stage. */
export async function hasVersion(folder: Folder, token: string): Promise<boolean> {
  return (await lstat(versionPath(folder, token)).catch(absent)) !== undefined;
}

/** The target of `..data`, whoever made it. */
export function readData({ path }: Folder): Promise<string | undefined> {
  return readlink(join(path, LINKS.current)).catch(absent);
}

/** The token of the folder's version at a stage; undefined when there is none, or it is not one of this store's. */
export async function linkedToken({ path }: Folder, stage: Stage): Promise<string | undefined> {
  return tokenOf(await readlink(join(path, LINKS[stage])).catch(absent));
}

/** The token in a link's target. */
export function tokenOf(target: string | undefined): string | undefined {
  return target?.startsWith(VERSION) ? target.slice(VERSION.length) : undefined;
}

/** Puts a version at a stage; `by` is the token of the rotation that wants it there. */
export async function link(folder: Folder, stage: Stage, token: string, by = token): Promise<void> {
  await replaceLink(join(folder.path, LINKS[stage]), VERSION + token, by);
  await sync(folder.path);
}

/** Takes `pending` off a version, if it is there. */
export async function unlinkPending(folder: Folder, token: string): Promise<void> {
  if ((await linkedToken(folder, 'pending')) !== token) return;
  await rm(join(folder.path, LINKS.pending), { force: true });
  await sync(folder.path);
}

/** Whether consumers read a file through `..data`; undefined when they find no such name. */
export async function isLinked({ path }: Folder, file: string): Promise<boolean | undefined> {
  const found = await lstat(join(path, file)).catch(absent);
  if (found === undefined) return undefined;
  return found.isSymbolicLink() && (await readlink(join(path, file)).catch(absent)) === join('..data', file);
}

/** What one folder has at a stage: under `current`, what consumers see there, be it a version or put by hand. */
export async function readFolder(folder: Folder, stage: Stage): Promise<Version | undefined> {
  if (stage === 'current') return readSeen(folder);
  const token = await linkedToken(folder, stage);
  if (token === undefined) return undefined;
  if (stage === 'pending' && token === (await linkedToken(folder, 'current'))) return undefined;
  return { token, fields: await readFields(folder, token) };
}

/** The mapped fields that a version has. */
export async function readFields(folder: Folder, token: string): Promise<Fields> {
  const found: Fields[] = [];
  for (const [file, entries] of folder.files) {
    const path = join(versionPath(folder, token), file);
    const content = await readFile(path, 'utf8').catch(absent);
    if (content !== undefined) found.push(readContent(join(folder.path, file), entries, content));
  }
  return Object.assign({}, ...found);
}

async function readSeen(folder: Folder): Promise<Version | undefined> {
  for (;;) {
    const target = await readData(folder);
    const parts: (Version | undefined)[] = [];
    for (const [file, entries] of folder.files) {
      const seen = await readFileSeen(folder, file, target);
      if (seen === undefined) continue;
      const fields = readContent(join(folder.path, file), entries, seen.content);
      parts.push({ token: seen.token, fields, ...(seen.edited ? { edited: true } : {}) });
    }
    // Else a promotion came in between, and what was read is part of two versions.
    if (target === (await readData(folder))) return joinParts(parts);
  }
}

/** What consumers see under a name while `..data` leads to `target`. */
export async function readFileSeen(
  folder: Folder,
  file: string,
  target: string | undefined,
): Promise<
  { readonly token: string | undefined; readonly content: string; readonly edited: boolean } | undefined
> {
  const linked = await isLinked(folder, file);
  if (linked === undefined || (linked && target === undefined)) return undefined;
  const path = linked ? resolve(folder.path, String(target), file) : join(folder.path, file);
  const content = await readFile(path, 'utf8').catch(absent);
  if (content === undefined) return undefined;
  const token = linked ? tokenOf(target) : undefined;
  const edited = token !== undefined && (await isEdited(folder, path));
  // By hand: a line end that an editor added is not part of the value.
  return { token, content: token === undefined || edited ? content.replace(/\r?\n$/, '') : content, edited };
}

/**
 * Whether a file of the current version was written to after the version became current, as `echo > app/password`
 * does, which follows the links. Whoever copied the folder about may have given it other times.
 */
async function isEdited({ path }: Folder, file: string): Promise<boolean> {
  const [written, promoted] = await Promise.all([
    stat(file).catch(absent),
    lstat(join(path, LINKS.current)).catch(absent),
  ]);
  return written !== undefined && promoted !== undefined && written.mtimeMs > promoted.mtimeMs;
}

/** Every file of the version that `..data` leads to, as it is: also those that the mapping does not name. */
export async function readDataFiles(folder: Folder): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  const target = await readData(folder);
  if (target === undefined) return contents;
  const path = resolve(folder.path, target);
  for (const entry of (await readdir(path, { withFileTypes: true }).catch(absent)) ?? []) {
    if (entry.isFile()) contents.set(entry.name, await readFile(join(path, entry.name)));
  }
  return contents;
}

/**
 * Writes the token's version, with the files of the current one that the mapping does not name. False when another
 * process was quicker: its version stays.
 */
export async function writeVersion(folder: Folder, token: string, fields: Fields): Promise<boolean> {
  const contents = new Map<string, string | Uint8Array>(await readDataFiles(folder));
  const target = await readData(folder);
  for (const [file, entries] of folder.files) {
    const seen = await readFileSeen(folder, file, target);
    contents.set(file, writeContent(join(folder.path, file), entries, fields, seen?.content));
  }
  return writeFolder(versionPath(folder, token), token, contents);
}

/** Removes a version that is at no stage, and what a crash left of its making. */
export async function removeUnlinked(folder: Folder, token: string): Promise<void> {
  const linked = await Promise.all(
    (['current', 'pending', 'previous'] as const).map((stage) => linkedToken(folder, stage)),
  );
  if (!linked.includes(token)) await rm(versionPath(folder, token), { recursive: true, force: true });
  for (const entry of (await readdir(folder.path).catch(absent)) ?? []) {
    if (!entry.startsWith(`${DRAFT}${token}-`)) continue;
    await rm(join(folder.path, entry), { recursive: true, force: true });
  }
}
