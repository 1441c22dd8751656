import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { absent } from '../absent.ts';
import type { Exposure } from '../secret-store.ts';
import { requireOwner, Unsafe, whatIs } from './file-unsafe.ts';

const STICKY = 0o1000;
const OTHERS_WRITE = 0o002;

/**
 * Throws Unsafe where another user could swap the links of a folder: where the folder, or one above it up to the
 * store's, belongs to somebody else, may be written by everybody, or is a link. What does not exist yet is safe.
 */
export async function requireSafe(root: string, folder: string): Promise<void> {
  for (const { path, found } of await levels(root, folder)) {
    if (!found.isDirectory()) {
      throw new Unsafe(
        `${path} is ${await whatIs(path)}, and keyturn follows no link inside a store; make it a folder, or configure the folder that it leads to as a store`,
      );
    }
    requireOwner(path, found);
    // In a folder with the sticky bit nobody renames what others made, but everybody may make links.
    const swappable = path === folder || (found.mode & STICKY) === 0;
    if ((found.mode & OTHERS_WRITE) === 0 || !swappable) continue;
    throw new Unsafe(
      `${path} may be written by every user (mode ${modeOf(found)}), who could change what is published; close it with chmod o-w, or choose a folder of its own below it`,
    );
  }
}

/** What `requireSafe` allows though it gives more than is needed: one for each folder, the gravest. */
export async function exposuresOf(root: string, folder: string): Promise<Exposure[]> {
  return (await levels(root, folder)).flatMap(({ path, found: { mode } }) => {
    const exposed = gravest(mode);
    return exposed ? [{ path, mode: mode & 0o7777, ...exposed }] : [];
  });
}

function gravest(mode: number): Pick<Exposure, 'to' | 'may'> | undefined {
  if (mode & OTHERS_WRITE) return { to: 'others', may: 'write' };
  if (mode & 0o020) return { to: 'group', may: 'write' };
  if (mode & 0o005) return { to: 'others', may: 'read' };
  if (mode & 0o050) return { to: 'group', may: 'read' };
  return undefined;
}

interface Level {
  readonly path: string;
  readonly found: Stats;
}

/** The store's folder, which may be a link that the configuration names, and those below it down to `folder`. */
async function levels(root: string, folder: string): Promise<Level[]> {
  const found: Level[] = [];
  let path = root;
  for (const name of ['', ...relative(root, folder).split(sep)]) {
    if (path !== root && name === '') break;
    path = join(path, name);
    const stats = await (path === root ? stat : lstat)(path).catch(absent);
    if (stats === undefined) break;
    if (found.at(-1)?.path !== path) found.push({ path, found: stats });
  }
  return found;
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
