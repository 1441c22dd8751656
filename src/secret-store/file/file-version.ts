import { lstat, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absent.ts';
import { joinParts } from '../read-version.ts';
import { readContent, writeContent } from '../secret-content.ts';
import type { Fields, Stage, Version } from '../secret-store.ts';
import { replaceLink, sync, writeFolder } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { type HeldFolder, holdFolder, readPlain, requireFolder } from './file-held.ts';
import { Unsafe, whatIs } from './file-unsafe.ts';

// The layout of a mounted Kubernetes secret: https://kubernetes.io/docs/concepts/configuration/secret/
//
//   app/..version-<token>/username   a version, never altered once it has this name
//   app/..data -> ..version-<token>  the current one; ..pending and ..previous likewise
//   app/username -> ..data/username  what consumers open
//
// Moving `..data` is one rename, so all names of a folder change at the same instant. A folder that Kubernetes laid
// out has other names in the place of `..version-<token>`. A link that leads anywhere else is refused: it is not ours.

const LINKS: Readonly<Record<Stage, string>> = {
  current: '..data',
  pending: '..pending',
  previous: '..previous',
};
const VERSION = '..version-';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** As the kubelet names a version: `..2024_01_31_23_59_59.123456789`. */
const KUBERNETES = /^\.\.\d{4}(_\d\d){5}\.\d+$/;

/** Whether it may be the name of a version: what is not gets nowhere near a path. */
export function isToken(text: string): boolean {
  return UUID.test(text);
}

/** Where a version of a folder is. */
export function versionPath({ path }: Folder, token: string): string {
  return join(path, VERSION + token);
}

/** Whether a folder has a version, at whatever stage. Throws Unsafe where something else has its name. */
export function hasVersion(folder: Folder, token: string): Promise<boolean> {
  return requireFolder(versionPath(folder, token));
}

/** The target of `..data`: the name of a version of this store's, or of one that Kubernetes made. Else Unsafe. */
export function readData(folder: Folder): Promise<string | undefined> {
  return readStage(folder, 'current');
}

/** The token of the folder's version at a stage; undefined when there is none, or Kubernetes made it. */
export async function linkedToken(folder: Folder, stage: Stage): Promise<string | undefined> {
  return tokenOf(await readStage(folder, stage));
}

async function readStage({ path }: Folder, stage: Stage): Promise<string | undefined> {
  const link = join(path, LINKS[stage]);
  const target = await readLink(link);
  if (target === undefined) return undefined;
  if (tokenOf(target) === undefined && !(stage === 'current' && KUBERNETES.test(target))) {
    throw new Unsafe(
      `${link} leads to ${JSON.stringify(target)}, which is no version of this store; nothing there was touched: find out who made the link, then remove it`,
    );
  }
  await requireFolder(join(path, target));
  return target;
}

/** The target of a link; undefined where there is none. Throws Unsafe where the name is not a link's. */
async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') return absent(error as NodeJS.ErrnoException);
    throw new Unsafe(
      `${path} is ${await whatIs(path)} in the place of a link of keyturn's; nothing there was touched: find out who made it, then remove it`,
    );
  }
}

/** The token in the name of a version, or of what a version became: `..version-<token>`. */
export function tokenOf(name: string | undefined): string | undefined {
  const token = name?.startsWith(VERSION) ? name.slice(VERSION.length) : undefined;
  return token !== undefined && isToken(token) ? token : undefined;
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

/** When the current version became so, in milliseconds, by the file system's clock. */
export async function promotedAt({ path }: Folder): Promise<number | undefined> {
  return (await lstat(join(path, LINKS.current)).catch(absent))?.mtimeMs;
}

/**
 * Whether consumers read a file through `..data`; undefined when they find no such name. Throws Unsafe where it is
 * neither our link nor a plain file.
 */
export async function isLinked({ path }: Folder, file: string): Promise<boolean | undefined> {
  const name = join(path, file);
  const found = await lstat(name).catch(absent);
  if (found === undefined) return undefined;
  if (found.isFile()) return false;
  const target = found.isSymbolicLink() ? await readlink(name).catch(absent) : undefined;
  if (target === join('..data', file)) return true;
  throw new Unsafe(
    `${name} is ${await whatIs(name)}, which keyturn did not make; nothing there was touched: put a plain file there, or remove it`,
  );
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
  const path = versionPath(folder, token);
  await using held = await holdFolder(path);
  if (!held) return {};
  const found: Fields[] = [];
  for (const [file, entries] of folder.files) {
    const read = await readPlain(join(held.at, file), join(path, file));
    if (read) found.push(readContent(join(folder.path, file), entries, read.content.toString('utf8')));
  }
  return Object.assign({}, ...found);
}

/** Whether a version has all the files of the folder. */
export async function isWhole(folder: Folder, token: string): Promise<boolean> {
  const path = versionPath(folder, token);
  await using held = await holdFolder(path);
  if (!held) return false;
  for (const file of folder.files.keys()) {
    if ((await readPlain(join(held.at, file), join(path, file))) === undefined) return false;
  }
  return true;
}

async function readSeen(folder: Folder): Promise<Version | undefined> {
  for (;;) {
    await using data = await openData(folder);
    const parts: (Version | undefined)[] = [];
    for (const [file, entries] of folder.files) {
      const seen = await readFileSeen(folder, file, data);
      if (seen === undefined) continue;
      const fields = readContent(join(folder.path, file), entries, seen.content);
      parts.push({ token: seen.token, fields, ...(seen.edited ? { edited: true } : {}) });
    }
    // Else a promotion came in between, and what was read is part of two versions.
    if (data.target === (await readData(folder))) return joinParts(parts);
  }
}

/** The version that `..data` leads to, open: what is read from it is of one version. */
export interface Data extends AsyncDisposable {
  readonly target: string | undefined;
  readonly held: HeldFolder | undefined;
}

export async function openData(folder: Folder): Promise<Data> {
  const target = await readData(folder);
  const held = target === undefined ? undefined : await holdFolder(join(folder.path, target));
  return { target, held, [Symbol.asyncDispose]: async () => held?.[Symbol.asyncDispose]() };
}

/** What consumers see under a name while `..data` leads to what `data` holds. */
export async function readFileSeen(
  folder: Folder,
  file: string,
  { target, held }: Data,
): Promise<
  { readonly token: string | undefined; readonly content: string; readonly edited: boolean } | undefined
> {
  const linked = await isLinked(folder, file);
  if (linked === undefined || (linked && !held)) return undefined;
  const shown = join(folder.path, linked ? String(target) : '', file);
  const read = await readPlain(linked && held ? join(held.at, file) : shown, shown);
  if (read === undefined) return undefined;
  const content = read.content.toString('utf8');
  const token = linked ? tokenOf(target) : undefined;
  // `echo > app/password` follows the links, and so alters a version. A folder that was copied may have other times.
  const edited = token !== undefined && read.found.mtimeMs > ((await promotedAt(folder)) ?? Infinity);
  // By hand: a line end that an editor added is not part of the value.
  return { token, content: token === undefined || edited ? content.replace(/\r?\n$/, '') : content, edited };
}

/** Every file of the version that `..data` leads to, as it is: also those that the mapping does not name. */
export async function readDataFiles({ target, held }: Data): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  if (!held) return contents;
  for (const entry of await readdir(held.at, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const read = await readPlain(join(held.at, entry.name), join(String(target), entry.name));
    if (read) contents.set(entry.name, read.content);
  }
  return contents;
}

/**
 * Writes the token's version, with the files of the current one that the mapping does not name. False when another
 * process was quicker: its version stays.
 */
export async function writeVersion(folder: Folder, token: string, fields: Fields): Promise<boolean> {
  await using data = await openData(folder);
  const contents = new Map<string, string | Uint8Array>(await readDataFiles(data));
  for (const [file, entries] of folder.files) {
    const seen = await readFileSeen(folder, file, data);
    contents.set(file, writeContent(join(folder.path, file), entries, fields, seen?.content));
  }
  return writeFolder(versionPath(folder, token), token, contents);
}
