import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { joinParts } from '../read-version.ts';
import { readContent, writeContent } from '../secret-content.ts';
import type { Fields, Stage, Version } from '../secret-store.ts';
import { writeFolder } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { type HeldFolder, holdFolder, readPlain } from './file-held.ts';
import { isLinked, linkedToken, promotedAt, readDataTarget, tokenOf, versionPath } from './file-layout.ts';
import type { Rights } from './file-rights.ts';
import { Unsafe } from './file-unsafe.ts';

/** How often a promotion may come in between while a version is read. Each takes a rotation. */
const ATTEMPTS = 10;

/**
 * What one folder has at a stage: under `current` what consumers see, even if somebody put it
 * there.
 */
export function readFolder(folder: Folder, stage: Stage): Version | undefined {
  if (stage === 'current') return readSeen(folder);
  const token = linkedToken(folder, stage);
  if (token === undefined) return undefined;
  if (stage === 'pending' && token === linkedToken(folder, 'current')) return undefined;
  return { token, fields: readFields(folder, token) };
}

/** The mapped fields that a version has. */
export function readFields(folder: Folder, token: string): Fields {
  const path = versionPath(folder, token);
  using held = holdFolder(path);
  if (!held) return {};
  const found: Fields[] = [];
  for (const [file, entries] of folder.files) {
    const read = readPlain(join(held.at, file), join(path, file));
    if (read) found.push(readContent(join(folder.path, file), entries, read.content.toString('utf8')));
  }
  return Object.assign({}, ...found);
}

/** Whether a version has all the files of the folder. */
export function isWhole(folder: Folder, token: string): boolean {
  const path = versionPath(folder, token);
  using held = holdFolder(path);
  if (!held) return false;
  for (const file of folder.files.keys()) {
    if (readPlain(join(held.at, file), join(path, file)) === undefined) return false;
  }
  return true;
}

function readSeen(folder: Folder): Version | undefined {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    using data = openData(folder);
    const parts: (Version | undefined)[] = [];
    for (const [file, entries] of folder.files) {
      const seen = readFileSeen(folder, file, data);
      if (seen === undefined) continue;
      const fields = readContent(join(folder.path, file), entries, seen.content);
      parts.push({ token: seen.token, fields, ...(seen.edited ? { edited: true } : {}) });
    }
    // If they differ, a promotion came in between, and parts of two versions were read.
    if (data.target === readDataTarget(folder)) return joinParts(parts);
  }
  throw Unsafe.because('folder-contended', { path: folder.path });
}

/**
 * The version that `..data` leads to, opened, so that all that is read from it is of one version.
 */
export interface Data extends Disposable {
  readonly target: string | undefined;
  readonly held: HeldFolder | undefined;
  /** When it was promoted, as `promotedAt` has it. */
  readonly promoted: number | undefined;
}

export function openData(folder: Folder): Data {
  const target = readDataTarget(folder);
  const promoted = target === undefined ? undefined : promotedAt(folder);
  const held = target === undefined ? undefined : holdFolder(join(folder.path, target));
  return { target, held, promoted, [Symbol.dispose]: () => held?.[Symbol.dispose]() };
}

/**
 * What consumers see under a name while `..data` leads to what `data` holds. Throws Unsafe where
 * that is neither our link nor a plain file that has no other name.
 */
export function readFileSeen(
  folder: Folder,
  file: string,
  { target, held, promoted }: Data,
): { readonly token: string | undefined; readonly content: string; readonly edited: boolean } | undefined {
  const linked = isLinked(folder, file);
  if (linked === undefined || (linked && !held)) return undefined;
  const shown = join(folder.path, linked ? String(target) : '', file);
  const read = readPlain(linked && held ? join(held.at, file) : shown, shown);
  if (read === undefined) return undefined;
  // It may be a file elsewhere that only keyturn may read. A version would show it to the group.
  if (!linked && read.found.nlink > 1) {
    throw Unsafe.because('path-foreign', { path: shown, found: { kind: 'hard-link' }, expected: 'secret' });
  }
  const content = read.content.toString('utf8');
  const token = linked ? tokenOf(target) : undefined;
  // `echo > app/password` follows the links, and so alters a version. A folder that was copied may
  // have other times.
  const edited = token !== undefined && read.found.mtimeMs > (promoted ?? Infinity);
  // In what somebody wrote, a line end that the editor added is not part of the value.
  return { token, content: token === undefined || edited ? content.replace(/\r?\n$/, '') : content, edited };
}

/**
 * The files of the version that `..data` leads to, also those that the mapping does not name; with
 * the files of the folder as `without`, those alone.
 */
export function readDataFiles({ target, held }: Data, without?: Folder['files']): Map<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  if (!held) return contents;
  for (const entry of readdirSync(held.at, { withFileTypes: true })) {
    if (!entry.isFile() || without?.has(entry.name)) continue;
    const read = readPlain(join(held.at, entry.name), join(String(target), entry.name));
    if (read) contents.set(entry.name, read.content);
  }
  return contents;
}

/**
 * Writes the token's version, with the files of the current one that the mapping does not name.
 * `beforeItIsThere` is called when all is written, right before the version gets its name. False
 * when another process was quicker: its version stays.
 */
export async function writeVersion(
  folder: Folder,
  token: string,
  fields: Fields,
  rights: Rights,
  beforeItIsThere?: () => Promise<void>,
): Promise<boolean> {
  using data = openData(folder);
  const contents = new Map<string, string | Uint8Array>(readDataFiles(data, folder.files));
  for (const [file, entries] of folder.files) {
    const seen = readFileSeen(folder, file, data);
    contents.set(file, writeContent(join(folder.path, file), entries, fields, seen?.content));
  }
  return writeFolder(versionPath(folder, token), token, contents, rights, beforeItIsThere);
}
