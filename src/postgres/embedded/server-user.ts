import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fault } from '../../facts/fault.ts';

const run = promisify(execFile);

/** The system user that a server runs as; undefined: the one who runs keyturn. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Then it runs as the system user `postgres`, or as `nobody` if
 * there is none. keyturn never makes a user.
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
  throw fault('embedded-user-missing', {});
}

/** Whether the server's user can reach a file or folder. Any folder above may prevent it. */
export async function canReach(path: string, user: ServerUser | undefined): Promise<boolean> {
  if (!user) return true;
  return run('test', ['-x', path], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

/**
 * Sends a signal, unless the process is gone. The server's user may change the pid file, so that
 * user sends the signal: else it could make root end any process.
 */
export async function signalAs(
  user: ServerUser | undefined,
  pid: number,
  signal: 'SIGINT' | 'SIGQUIT',
): Promise<void> {
  try {
    if (user) {
      const script = 'kill -s "$1" "$2"';
      await run('/bin/sh', ['-c', script, 'sh', signal.slice(3), String(pid)], { ...user, cwd: '/' });
    } else process.kill(pid, signal);
  } catch (error) {
    if (!isThere(pid)) return;
    throw fault('embedded-process-foreign', { pid }, { cause: error });
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * Empties a folder as the user who owns it. The folder itself stays: that user may not remove it.
 */
export async function removeAs(user: ServerUser, folder: string): Promise<void> {
  // It fails at the folder itself.
  await run('rm', ['-rf', '--', folder], { ...user, cwd: '/' }).catch(() => {});
}
