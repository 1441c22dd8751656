import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { absent } from '../absent.ts';

/** Something in a store that keyturn did not make, or that others could change. The message says what, and what to do. */
export class Unsafe extends Error {
  override readonly name = 'Unsafe';
}

/** For messages: what has a name now, and where it leads. */
export async function whatIs(path: string): Promise<string> {
  const found = await lstat(path).catch(absent);
  if (found === undefined) return 'gone';
  if (found.isSymbolicLink()) {
    const target = await readlink(path).catch(absent);
    return `a symbolic link to ${JSON.stringify(target)}`;
  }
  if (found.isDirectory()) return 'a folder';
  if (found.isFile()) return 'a file';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/** Throws Unsafe where a folder belongs to a user who is neither root nor the one that keyturn runs as. */
export function requireOwner(path: string, { uid }: Pick<Stats, 'uid'>): void {
  // Windows has none.
  const own = process.geteuid?.();
  if (own === undefined || uid === own || uid === 0) return;
  throw new Unsafe(
    `${path} belongs to the user ${uid}, who could change what is published; run keyturn as that user, or give it to the user that keyturn runs as: chown ${own}`,
  );
}
