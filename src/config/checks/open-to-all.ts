import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const READ_BY_OTHERS = 0o004;
const PASSED_BY_OTHERS = 0o001;

/**
 * Whether every user of this machine may read a file. Not if a folder on the way keeps them out.
 * Not on a read-only file system either, as secrets in a container are: nobody could change it.
 */
export function isOpenToAll(path: string): boolean {
  try {
    const file = realpathSync(path);
    const { mode } = statSync(file);
    return (mode & READ_BY_OTHERS) !== 0 && isReachable(file) && !isReadOnly(file);
  } catch {
    // What cannot be looked at is reported where it is read.
    return false;
  }
}

function isReachable(path: string): boolean {
  const folder = dirname(path);
  if (folder === path) return true;
  return (statSync(folder).mode & PASSED_BY_OTHERS) !== 0 && isReachable(folder);
}

function isReadOnly(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
