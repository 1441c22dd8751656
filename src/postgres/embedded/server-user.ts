import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The system user that a server runs as; undefined: whoever runs keyturn. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root lends it to the system user `postgres`, or to `nobody` where there is
 * none. No user is ever made.
 */
export async function findServerUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (of) => Number((await run('id', [of, name])).stdout)),
      );
      if (uid && gid) return { uid, gid };
    } catch {
      // No such user: the next.
    }
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as',
  );
}

/** Whether the server's user gets to a file or folder, which any folder above may deny. */
export async function canReach(path: string, user: ServerUser | undefined): Promise<boolean> {
  if (!user) return true;
  return run('test', ['-x', path], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
