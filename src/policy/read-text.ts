import { readFileSync } from 'node:fs';

const FAULTS: Readonly<Record<string, string>> = {
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

/** Reads a file whole. Never throws: what is wrong with a file is one of many problems to report. */
export function readText(path: string): Text {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { fault: faultOf(error) };
  }
  try {
    // Decoded leniently, a password in another encoding would become a different one without a word.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { fault: 'is not UTF-8 text' };
  }
}

/** A fault of the file system in words that follow a path. */
export function faultOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return FAULTS[code] ?? `cannot be read (${code})`;
}
