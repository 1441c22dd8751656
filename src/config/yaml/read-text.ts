import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const FAULTS: Readonly<Record<string, string>> = {
  ENXIO: 'is a device, a pipe or a socket, not a file',
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder, not a file',
};

/** The content of a UTF-8 file, or in words what kept it from being read. */
export type Text = { readonly text: string } | { readonly fault: string };

/** Reads a file by its path, which may be relative to where the configuration's relative paths start. */
export type ReadText = (path: string) => Text;

/** What a configuration, or the certificates of all public CAs, do not come near. */
const LIMIT = 4 * 1024 * 1024;

/** Of what stands for one value. */
export const VALUE_LIMIT = 64 * 1024;

/**
 * Reads a file whole. Never throws: what is wrong with a file is one of many problems to report. A device or a named pipe
 * is not read, because that may never end. `limit` is in bytes.
 */
export function readText(path: string, limit = LIMIT): Text {
  let bytes: Buffer | string;
  try {
    bytes = readBytes(path, limit);
  } catch (error) {
    return { fault: faultOf(error) };
  }
  if (typeof bytes === 'string') return { fault: bytes };
  try {
    // Decoded leniently, a password in another encoding would become a different one without a word.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { fault: 'is not UTF-8 text' };
  }
}

/** The content, or in words why it is not read. */
function readBytes(path: string, limit: number): Buffer | string {
  // A named pipe would be waited for until somebody writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) return String(FAULTS.EISDIR);
    if (!stat.isFile()) return 'is a device, a pipe or a socket, not a file';
    const chunks: Buffer[] = [];
    for (let size = 0; size <= limit; ) {
      const chunk = Buffer.alloc(64 * 1024);
      const length = readSync(file, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
      size += length;
    }
    return `is larger than ${limit / 1024} KiB`;
  } finally {
    closeSync(file);
  }
}

/** A fault of the file system in words that follow a path. */
export function faultOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return FAULTS[code] ?? `cannot be read (${code})`;
}
