import { readlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { PromoteOptions, Stage } from '../secret-store.ts';
import { publishLink, replaceLink, sync } from './file-disk.ts';
import type { Folder } from './file-folder.ts';
import { requireFolder } from './file-held.ts';
import { absent, ifThere, isErrno, occupantOf, statOf, Unsafe } from './file-unsafe.ts';

// The layout of a mounted Kubernetes secret:
// https://kubernetes.io/docs/concepts/configuration/secret/
//
//   app/..version-<token>/username   a version, never altered once it has this name
//   app/..data -> ..version-<token>  the current one; ..pending and ..previous likewise
//   app/username -> ..data/username  what consumers open
//
// Moving `..data` is one rename, so all names of a folder change at the same instant. In a folder
// that Kubernetes laid out, versions have other names than `..version-<token>`. A link that leads
// anywhere else is not ours and is refused.

const LINKS: Readonly<Record<Stage, string>> = {
  current: '..data',
  pending: '..pending',
  previous: '..previous',
};
const VERSION = '..version-';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** As the kubelet names a version: `..2024_01_31_23_59_59.123456789`. */
const KUBERNETES = /^\.\.\d{4}(_\d\d){5}\.\d+$/;

/** Whether it may be the name of a version. Anything else must not become part of a path. */
export function isToken(text: string): boolean {
  return UUID.test(text);
}

/** Where a version of a folder is. */
export function versionPath({ path }: Folder, token: string): string {
  return join(path, VERSION + token);
}

/**
 * Whether a folder has a version, at whatever stage. Throws Unsafe where something else has its
 * name.
 */
export function hasVersion(folder: Folder, token: string): boolean {
  return requireFolder(versionPath(folder, token));
}

/**
 * The target of `..data`: a version of this store, or one that Kubernetes made. Throws Unsafe for
 * others.
 */
export function readData(folder: Folder): string | undefined {
  return readStage(folder, 'current');
}

/** As `readData`, for who opens the version and so finds out by itself whether it is a folder. */
export function readDataTarget(folder: Folder): string | undefined {
  return readTarget(folder, 'current');
}

/**
 * The token of the folder's version at a stage; undefined when there is none, or Kubernetes made
 * it.
 */
export function linkedToken(folder: Folder, stage: Stage): string | undefined {
  return tokenOf(readStage(folder, stage));
}

function readStage(folder: Folder, stage: Stage): string | undefined {
  const target = readTarget(folder, stage);
  if (target !== undefined) requireFolder(join(folder.path, target));
  return target;
}

function readTarget({ path }: Folder, stage: Stage): string | undefined {
  const link = join(path, LINKS[stage]);
  const target = readLink(link);
  if (target === undefined) return undefined;
  if (tokenOf(target) === undefined && !(stage === 'current' && KUBERNETES.test(target))) {
    throw Unsafe.because('link-foreign', { path: link, target });
  }
  return target;
}

/** The target of a link; undefined where there is none. Throws Unsafe for anything but a link. */
function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) return absent(error);
    throw Unsafe.because('path-foreign', { path, found: occupantOf(path), expected: 'link' });
  }
}

/** The token in the name of a version: `..version-<token>`. */
export function tokenOf(name: string | undefined): string | undefined {
  const token = name?.startsWith(VERSION) ? name.slice(VERSION.length) : undefined;
  return token !== undefined && isToken(token) ? token : undefined;
}

/**
 * Puts a version at a stage that consumers do not see; `by` is the token of the rotation that wants
 * it there.
 */
export async function link(
  { path }: Folder,
  stage: Exclude<Stage, 'current'>,
  token: string,
  by = token,
): Promise<void> {
  replaceLink(join(path, LINKS[stage]), VERSION + token, by);
  await sync(path);
}

/** Makes a version current, unless `confirm` throws. */
export async function linkCurrent(
  { path }: Folder,
  token: string,
  { by = token, ...options }: Pick<PromoteOptions, 'confirm'> & { readonly by?: string },
): Promise<void> {
  await publishLink(join(path, LINKS.current), VERSION + token, by, options);
  await sync(path);
}

/** Takes `pending` off a version, if it is there. */
export async function unlinkPending(folder: Folder, token: string): Promise<void> {
  if (linkedToken(folder, 'pending') !== token) return;
  unlinkStage(folder, 'pending');
  await sync(folder.path);
}

/** Takes a stage off whichever version has it. */
export function unlinkStage({ path }: Folder, stage: Stage): void {
  ifThere(() => unlinkSync(join(path, LINKS[stage])));
}

/** When the current version was promoted, in milliseconds, by the file system's clock. */
export function promotedAt({ path }: Folder): number | undefined {
  return statOf(join(path, LINKS.current))?.mtimeMs;
}

/**
 * Whether consumers read a file through `..data`; undefined when there is no such name. Throws
 * Unsafe where it is neither our link nor a plain file.
 */
export function isLinked(folder: Folder, file: string): boolean | undefined {
  const name = join(folder.path, file);
  try {
    if (readlinkSync(name) === join('..data', file)) return true;
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) return absent(error);
    const found = statOf(name);
    if (found === undefined) return undefined;
    if (found.isFile()) return false;
    // Another process has just replaced a file by our link.
    if (found.isSymbolicLink()) return isLinked(folder, file);
  }
  throw Unsafe.because('path-foreign', { path: name, found: occupantOf(name), expected: 'secret' });
}
