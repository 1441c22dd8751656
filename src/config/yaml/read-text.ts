import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { FileFault } from '../../facts/problem.ts';

const REASONS: Readonly<Record<string, 'absent' | 'folder' | 'forbidden' | 'special'>> = {
  ENXIO: 'special',
  ENOENT: 'absent',
  ENOTDIR: 'absent',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EISDIR: 'folder',
};

/** The content of a UTF-8 file, or what kept it from being read. */
export type Text = { readonly text: string } | { readonly fault: FileFault };

/** Reads a file. A relative path starts where those of the configuration do. */
export type ReadText = (path: string) => Text;

/** Far more than a configuration, or the certificates of all public CAs. */
const LIMIT = 4 * 1024 * 1024;

/** For a file that stands for one value. */
export const VALUE_LIMIT = 64 * 1024;

/**
 * Reads a file whole. Never throws: an unreadable file is one of many problems to report. A device
 * or a named pipe is not read, because that may never end. `limit` is in bytes.
 */
export function readText(path: string, limit = LIMIT): Text {
  let bytes: Buffer | FileFault;
  try {
    bytes = readBytes(path, limit);
  } catch (error) {
    return { fault: fileFaultOf(error) };
  }
  if ('reason' in bytes) return { fault: bytes };
  try {
    // Decoded leniently, a password in another encoding would silently become a different one.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { fault: { reason: 'not-utf8' } };
  }
}

function readBytes(path: string, limit: number): Buffer | FileFault {
  // Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) return { reason: 'folder' };
    if (!stat.isFile()) return { reason: 'special' };
    const chunks: Buffer[] = [];
    for (let size = 0; size <= limit; ) {
      const chunk = Buffer.alloc(64 * 1024);
      const length = readSync(file, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
      size += length;
    }
    return { reason: 'too-large', kibibytes: limit / 1024 };
  } finally {
    closeSync(file);
  }
}

/** What an error of the file system means. */
export function fileFaultOf(error: unknown): FileFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const reason = REASONS[code];
  return reason === undefined ? { reason: 'other', detail: code } : { reason };
}
