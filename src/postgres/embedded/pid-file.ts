import { randomUUID } from 'node:crypto';
import { link, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readOwn } from './own-files.ts';

/**
 * What postmaster.pid says of a server that is running.
 * https://www.postgresql.org/docs/current/storage-file-layout.html
 */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/**
 * The server that runs in a data directory. Undefined if there is none, its process is gone, or it
 * is the server of another data directory.
 */
export async function runningServer({ data }: { readonly data: string }): Promise<RunningServer | undefined> {
  const text = await readPidFile(data);
  const found = parse(text);
  if (!found || !isAlive(found.pid)) return undefined;
  return (await isOfAnother(data, text)) ? undefined : found;
}

/**
 * Removes the postmaster.pid of another data directory's server, which was copied together with the
 * data. As long as that server runs, PostgreSQL would not start beside the file.
 */
export async function removeForeignPidFile({ data }: { readonly data: string }): Promise<void> {
  const text = await readPidFile(data);
  const found = parse(text);
  if (!found || !isAlive(found.pid) || !(await isOfAnother(data, text))) return;
  const file = pidFile(data);
  const aside = `${file}.${randomUUID()}`;
  await rename(file, aside).catch(ignoreAbsent);
  // Another process may have started our own server in between: then its file is put back.
  if ((await readOwn(aside).catch(() => '')) !== text) await link(aside, file).catch(() => {});
  await unlink(aside).catch(ignoreAbsent);
}

/**
 * Whether the file was written for another data directory. On Linux the working directory of the
 * process tells, which is the data directory, even after a move. Else the path in the file does, if
 * it still exists.
 */
async function isOfAnother(data: string, text: string): Promise<boolean> {
  const [pid, path = ''] = text.split('\n');
  const own = await folderId(data);
  const works = await folderId(`/proc/${Number(pid)}/cwd`);
  if (own === undefined || works === own) return false;
  const named = await folderId(path);
  return named !== undefined && named !== own;
}

/** Identifies a folder, whatever path leads to it; undefined if that cannot be seen. */
async function folderId(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

function readPidFile(data: string): Promise<string> {
  return readOwn(pidFile(data)).then(
    (text) => text ?? '',
    () => '',
  );
}

function parse(text: string): RunningServer | undefined {
  const lines = text.split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  // A pid that is not positive would mean a group of processes to kill.
  if (!(Number.isInteger(pid) && pid > 0) || !port) return undefined;
  return { pid, port, ready: lines[7]?.trim() === 'ready' };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function pidFile(data: string): string {
  return join(data, 'postmaster.pid');
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
