import { type Stats, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Fact, fact } from '../../facts/fact.ts';
import { isReadByGroup, type Rights } from './file-rights.ts';
import { ifThere, occupantOf, requireOwner, statOf, Unsafe } from './file-unsafe.ts';

const STICKY = 0o1000;
const OTHERS_WRITE = 0o002;

/**
 * Throws Unsafe where another user could swap the links of a folder: where the folder, or one above
 * it up to the store's, belongs to somebody else, may be written by everybody, or is a link. What
 * does not exist yet is safe.
 */
export function requireSafe(root: string, folder: string): void {
  for (const { path, found } of levels(root, folder)) {
    if (!found.isDirectory()) {
      throw Unsafe.because('folder-replaced', { path, found: occupantOf(path) });
    }
    requireOwner(path, found);
    // In a folder with the sticky bit nobody renames what others made, but everybody may make
    // links.
    const swappable = path === folder || (found.mode & STICKY) === 0;
    if ((found.mode & OTHERS_WRITE) === 0 || !swappable) continue;
    throw Unsafe.because('folder-open-to-all', { path, mode: modeOf(found) });
  }
}

/**
 * What `requireSafe` allows though it gives more than the configuration asks for: the gravest
 * exposure of each folder.
 */
export function exposuresOf(root: string, folder: string, rights: Rights): Fact<'folder-exposed'>[] {
  const { store } = rights;
  return levels(root, folder).flatMap(({ path, found }) => {
    const exposed = gravest(found, rights);
    return exposed ? [fact('folder-exposed', { store, path, mode: modeOf(found), ...exposed })] : [];
  });
}

function gravest(
  { mode, gid }: Stats,
  rights: Rights,
): Pick<Fact<'folder-exposed'>['params'], 'to' | 'may'> | undefined {
  if (mode & OTHERS_WRITE) return { to: 'others', may: 'write' };
  if (mode & 0o020) return { to: 'group', may: 'write' };
  if (mode & 0o005) return { to: 'others', may: 'read' };
  const isMeant = isReadByGroup(rights) && (rights.group === undefined || rights.group.gid === gid);
  if (mode & 0o050 && !isMeant) return { to: 'group', may: 'read' };
  return undefined;
}

export interface Level {
  readonly path: string;
  readonly found: Stats;
}

/** The store's folder, which may be a link, and those below it down to `folder`. */
export function levels(root: string, folder: string): Level[] {
  const found: Level[] = [];
  let path = root;
  for (const name of ['', ...relative(root, folder).split(sep)]) {
    if (path !== root && name === '') break;
    path = join(path, name);
    const stats = path === root ? ifThere(() => statSync(root)) : statOf(path);
    if (stats === undefined) break;
    if (found.at(-1)?.path !== path) found.push({ path, found: stats });
  }
  return found;
}

/** As in chmod. */
export function modeOf({ mode }: Pick<Stats, 'mode'>): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
