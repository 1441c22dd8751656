import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, lstat, open, readFile, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { Fault, fault } from '../../facts/fault.ts';

/** A file of the configuration, and what it is to say in place of what it says. */
export interface Replacement {
  /** As messages name it. */
  readonly name: string;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Throws a fault where a file cannot be replaced, as far as that can be told without doing it.
 */
export function requireReplaceable({ name, path }: Pick<Replacement, 'name' | 'path'>): Promise<void> {
  return telling(name, async () => {
    const file = await fileAt(name, path);
    await access(dirname(file), constants.W_OK);
  });
}

/**
 * Replaces a file in one step, with its mode and owner. A link stays, and the file that it leads to
 * is replaced. Throws a fault where somebody else has written it since, or where it cannot be
 * written; then nothing has changed.
 */
export function replaceFile({ name, path, before, after }: Replacement): Promise<void> {
  return telling(name, async () => {
    const file = await fileAt(name, path);
    const draft = join(dirname(file), `.${basename(file)}.${randomUUID()}.draft`);
    try {
      await writeLike(file, draft, after);
      if ((await readFile(file, 'utf8')) !== before) throw fault('config-edited-meanwhile', { file: name });
      await rename(draft, file);
    } finally {
      await unlink(draft).catch(() => {});
    }
    await syncFolder(dirname(file));
  });
}

/** The file that a path leads to. */
async function fileAt(name: string, path: string): Promise<string> {
  const file = await realpath(path);
  // A ConfigMap of Kubernetes is a folder of links into such a version.
  if (!file.split(sep).some((part) => part.startsWith('..'))) return file;
  throw fault('config-file-mounted', { file: name });
}

/** Makes errors of the file system faults. */
async function telling(name: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const detail = String((cause as NodeJS.ErrnoException).code ?? 'unknown error');
    throw fault('config-not-written', { file: name, detail }, { cause });
  }
}

/** Writes a new file with the mode and the owner of another one, and flushes it to disk. */
async function writeLike(like: string, path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await lstat(like);
  // Closed at first: it may have a password in it.
  await using handle: FileHandle = await open(path, 'wx', 0o600);
  await handle.writeFile(text);
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid);
  await handle.chmod(mode & 0o7777);
  await handle.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}
