import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { absent, ifThere, isErrno, occupantOf, requireOwner, statOf, Unsafe } from './file-unsafe.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
/**
 * The most that a file may have, in bytes: 1 MiB, as much as a whole Secret of Kubernetes.
 * https://kubernetes.io/docs/concepts/configuration/secret/
 */
const MOST_BYTES = 1_048_576;

/**
 * A folder that is open. What is done below `at` is done in that folder, whatever has its name by
 * now.
 */
export interface HeldFolder extends Disposable {
  readonly at: string;
  readonly fd: number;
  /** What it was when it was opened. */
  readonly found: Stats;
}

/** Whether this system shows a process under /proc what it has open. Asked once. */
let showsOpen: boolean | undefined;

/**
 * Opens a folder of this store. Undefined where there is none; throws Unsafe where there is
 * something else, or the folder belongs to another user. A link is never followed.
 *
 * Node.js has no openat. Linux has the same under /proc/self/fd. Elsewhere, whoever may write the
 * folder above could swap the name after it was opened.
 */
export function holdFolder(path: string): HeldFolder | undefined {
  const fd = openOwn(path);
  if (fd === undefined) return undefined;
  try {
    const found = fstatSync(fd);
    requireOwner(path, found);
    const own = `/proc/self/fd/${fd}`;
    showsOpen ??= existsSync(own);
    return { at: showsOpen ? own : path, fd, found, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openOwn(path: string): number | undefined {
  try {
    return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ENOTDIR is what Linux says of a link here, ELOOP what others say.
    if (isErrno(error, 'ENOTDIR', 'ELOOP')) requireFolder(path);
    return absent(error);
  }
}

/** Whether there is a folder of this store. Throws Unsafe as `holdFolder` does. */
export function requireFolder(path: string): boolean {
  const found = statOf(path);
  if (found === undefined) return false;
  if (!found.isDirectory()) {
    throw Unsafe.because('path-foreign', { path, found: occupantOf(path), expected: 'folder' });
  }
  requireOwner(path, found);
  return true;
}

/**
 * Reads a plain file of at most `MOST_BYTES`; undefined where there is none. Throws Unsafe for
 * anything else: a larger one would hold up everything else, and take as much memory.
 */
export function readPlain(
  at: string,
  shown: string,
): { readonly content: Buffer; readonly found: Stats } | undefined {
  const fd = openPlain(at, shown);
  if (fd === undefined) return undefined;
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw notPlain(at, shown);
    const content = found.size > MOST_BYTES ? undefined : readAll(fd, found.size);
    if (content === undefined) throw Unsafe.because('path-too-large', { path: shown, limit: MOST_BYTES });
    return { content, found };
  } finally {
    closeSync(fd);
  }
}

function openPlain(at: string, shown: string): number | undefined {
  try {
    // Without O_NONBLOCK, open waits for the writer of a pipe, and the worker with it.
    return openSync(at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ENXIO: a socket.
    if (isErrno(error, 'ELOOP', 'ENXIO')) throw notPlain(at, shown);
    return absent(error);
  }
}

/**
 * Reads an open file, which may have another size by now, mostly by one call. Undefined where it
 * has more than `MOST_BYTES`.
 */
function readAll(fd: number, size: number): Buffer | undefined {
  // One byte more than expected: who gets less than they ask for is at the end.
  const expected = Buffer.alloc(size + 1);
  const first = readSync(fd, expected);
  if (first === size) return expected.subarray(0, size);
  const content = Buffer.alloc(MOST_BYTES + 1);
  let length = expected.copy(content, 0, 0, first);
  while (length <= MOST_BYTES) {
    const more = readSync(fd, content, length, content.length - length, null);
    if (more === 0) return content.subarray(0, length);
    length += more;
  }
  return undefined;
}

function notPlain(at: string, shown: string): Unsafe {
  return Unsafe.because('path-foreign', { path: shown, found: occupantOf(at), expected: 'file' });
}

/**
 * The names in a folder that holds nothing but files: keyturn makes no other. Undefined for others.
 */
export function flatNames({ at }: HeldFolder): string[] | undefined {
  const entries = readdirSync(at, { withFileTypes: true });
  return entries.some((entry) => entry.isDirectory()) ? undefined : entries.map(({ name }) => name);
}

/**
 * Removes a folder of files. It never goes deeper: one that holds a folder stays, and so does what
 * took its place meanwhile. If it stops halfway, the next call goes on.
 */
export function removeFlat(path: string): void {
  using held = holdFolder(path);
  const names = held && flatNames(held);
  if (!held || !names) return;
  for (const name of names) ifThere(() => unlinkSync(join(held.at, name)));
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
  }
}
