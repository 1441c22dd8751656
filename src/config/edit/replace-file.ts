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
 * is replaced. Throws a fault where somebody else has written it since or is writing it, or where
 * it cannot be written; then nothing has changed.
 */
export function replaceFile({ name, path, before, after }: Replacement): Promise<void> {
  return telling(name, async () => {
    const file = await fileAt(name, path);
    const draft = join(dirname(file), `.${basename(file)}.draft`);
    // There is one draft of a file at a time, so nobody replaces it between the comparison and the
    // rename. A draft that was left is not removed: two of us could not tell whose it is.
    const handle = await openDraft(name, draft);
    try {
      await writeLike(file, handle, after);
      if ((await readFile(file, 'utf8')) !== before) throw fault('config-edited-meanwhile', { file: name });
      await rename(draft, file);
    } catch (error) {
      await unlink(draft).catch(() => {});
      throw error;
    }
    await syncFolder(dirname(file));
  });
}

/** Closed to others at first: it may have a password in it. */
async function openDraft(name: string, draft: string): Promise<FileHandle> {
  try {
    return await open(draft, 'wx', 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw fault('config-being-edited', { file: name, draft }, { cause });
  }
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

/**
 * Gives an opened file a text, and the mode and owner of another one. Flushes it to disk and closes
 * it.
 */
async function writeLike(like: string, opened: FileHandle, text: string): Promise<void> {
  await using handle = opened;
  const { mode, uid, gid } = await lstat(like);
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
