import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** A login as an application reads it from a file store. */
export interface PublishedLogin {
  readonly version: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Reads both files of one version. The link `..data` is resolved once, so that a swap in between
 * cannot mix two versions. Returns undefined while nothing is published.
 */
export async function readPublishedLogin(folder: string): Promise<PublishedLogin | undefined> {
  try {
    const version = await realpath(join(folder, '..data'));
    const [username, password] = await Promise.all(
      ['username', 'password'].map((name) => readFile(join(version, name), 'utf8')),
    );
    if (username === undefined || password === undefined) return undefined;
    return { version: basename(version), username, password };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
