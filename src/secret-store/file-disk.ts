import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Names of what is being made, and of what a crash left of it, begin so; the token of the rotation follows. */
export const DRAFT = '..draft-';

/** For `catch`: what does not exist is undefined, every other error is thrown. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** Brings to disk which names a folder has. Without it a power failure may undo the latest of them. */
export async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/**
 * Makes a folder of files, each readable by this user only, whole and on disk before it has its name. False when
 * another process was quicker: what it made stays.
 */
export async function writeFolder(
  path: string,
  token: string,
  contents: ReadonlyMap<string, string | Uint8Array>,
): Promise<boolean> {
  const draft = draftOf(path, token);
  await mkdir(draft, { mode: 0o700 });
  await chmod(draft, 0o700);
  for (const [file, content] of contents) {
    const handle = await open(join(draft, file), 'wx', 0o600);
    try {
      await handle.chmod(0o600);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  await sync(draft);
  try {
    await rename(draft, path);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  } finally {
    await sync(dirname(path));
  }
}

/** Makes a symbolic link, or puts it in the place of a link or file, in one step. Not on disk before `sync`. */
export async function replaceLink(path: string, target: string, token: string): Promise<void> {
  const draft = draftOf(path, token);
  await symlink(target, draft);
  try {
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function draftOf(path: string, token: string): string {
  return join(dirname(path), `${DRAFT}${token}-${randomUUID()}`);
}
