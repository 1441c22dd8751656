import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Folder } from './file-folder.ts';
import { levels, modeOf } from './file-guard.ts';
import { isLinked, readData } from './file-layout.ts';
import { folderMode, hasRights, isReadByGroup, type Rights } from './file-rights.ts';
import { ifThere, statOf } from './file-unsafe.ts';

/** What keeps the group from reading a folder's secrets, though the configuration says it may. */
export function accessOf(
  root: string,
  folder: Folder,
  rights: Rights,
): Fact<'folder-closed-to-group' | 'path-rights-differ'>[] {
  const closed = isReadByGroup(rights) ? closedFolders(root, folder, rights) : [];
  const differing = differingPath(folder, rights);
  return differing === undefined ? closed : [...closed, differing];
}

/** The folders on the way from / that the group may not pass through. */
function closedFolders(
  root: string,
  folder: Folder,
  { store, group }: Rights,
): Fact<'folder-closed-to-group'>[] {
  const gid = group?.gid ?? process.getegid?.() ?? 0;
  const real = ifThere(() => realpathSync.native(root));
  if (real === undefined) return [];
  const above = ancestors(real).map((path) => ({ path, found: statSync(path) }));
  const within = levels(root, folder.path);
  return [...above, ...within]
    .filter(({ found }) => !mayPass(found, gid))
    .map(({ path, found }) =>
      fact('folder-closed-to-group', {
        store,
        path,
        mode: modeOf(found),
        owner: found.gid,
        group: group?.name ?? String(gid),
      }),
    );
}

/** The folders above one, from / down. */
function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [...ancestors(above), above];
}

/** As the kernel decides for a member of the group who does not own the folder. */
function mayPass({ mode, gid }: Stats, group: number): boolean {
  return (mode & (gid === group ? 0o010 : 0o001)) !== 0;
}

/** The first path among those that consumers open whose group or mode is not as configured. */
function differingPath(folder: Folder, rights: Rights): Fact<'path-rights-differ'> | undefined {
  const data = readData(folder);
  const version = data === undefined ? undefined : join(folder.path, data);
  for (const file of folder.files.keys()) {
    const linked = isLinked(folder, file);
    if (linked === undefined || (linked && version === undefined)) continue;
    const paths = linked && version ? [version, join(version, file)] : [join(folder.path, file)];
    for (const path of paths) {
      const found = statOf(path);
      if (found === undefined) continue;
      const mode = found.isDirectory() ? folderMode(rights) : rights.mode;
      if (!hasRights(found, mode, rights)) return differs(path, found, mode, rights);
    }
  }
  return undefined;
}

function differs(path: string, found: Stats, mode: number, { store, group }: Rights) {
  return fact('path-rights-differ', {
    store,
    path,
    mode: modeOf(found),
    owner: found.gid,
    wanted: modeOf({ mode }),
    group: group?.name ?? null,
  });
}
