import { execFile } from 'node:child_process';
import { fchmodSync, fchownSync, fstatSync, readFileSync, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { fault } from '../../facts/fault.ts';
import { ifThere, isErrno } from './file-unsafe.ts';

const GROUPS = '/etc/group';
const GETENT_MS = 5_000;
const READ_BY_GROUP = 0o040;

/** Who may read what a store holds, besides the user that keyturn runs as. */
export interface Rights {
  readonly store: string;
  /** Of files, as in chmod. */
  readonly mode: number;
  /** Of files and folders; left out: whichever the system gives. */
  readonly group?: { readonly name: string; readonly gid: number };
}

export interface RightsSettings {
  /** A name, or a gid in digits. */
  readonly group?: string;
  readonly mode?: number;
}

/**
 * The rights that a configuration asks for. Throws `group-unknown` where this machine has no such
 * group.
 */
export async function rightsOf(store: string, { group: name, mode }: RightsSettings): Promise<Rights> {
  if (name === undefined) return { store, mode: mode ?? 0o600 };
  const gid = await gidOf(name);
  if (gid === undefined) throw fault('group-unknown', { store, group: name });
  return { store, mode: mode ?? 0o640, group: { name, gid } };
}

export function isReadByGroup({ mode }: Pick<Rights, 'mode'>): boolean {
  return (mode & READ_BY_GROUP) !== 0;
}

/** The mode of folders: who may read their files may enter them. */
export function folderMode(rights: Pick<Rights, 'mode'>): number {
  return isReadByGroup(rights) ? 0o750 : 0o700;
}

/** Whether this process may give files to a group, as far as its own groups tell. */
export function mayGive({ gid }: { readonly gid: number }): boolean {
  return process.geteuid?.() === 0 || process.getegid?.() === gid || !!process.getgroups?.().includes(gid);
}

export function hasRights(found: Pick<Stats, 'mode' | 'gid'>, mode: number, { group }: Rights): boolean {
  return (found.mode & 0o777) === mode && (group === undefined || found.gid === group.gid);
}

/**
 * Gives an open file or folder the group, then the mode, so that at no instant another group may
 * read it. False where it has both already. Throws `group-not-joined` where this process may not
 * give files to the group. `found` is what `fstat` has just said.
 */
export function giveRights(fd: number, mode: number, rights: Rights, found = fstatSync(fd)): boolean {
  if (hasRights(found, mode, rights)) return false;
  const { store, group } = rights;
  if (group !== undefined && found.gid !== group.gid) {
    fchmodSync(fd, found.mode & mode & 0o700);
    try {
      fchownSync(fd, -1, group.gid);
    } catch (cause) {
      // EINVAL: a container does not know this gid.
      if (!isErrno(cause, 'EPERM', 'EINVAL')) throw cause;
      throw fault('group-not-joined', notJoined(store, group), { cause });
    }
  }
  fchmodSync(fd, mode);
  return true;
}

export function notJoined(store: string, { name, gid }: NonNullable<Rights['group']>) {
  return { store, group: name, gid, uid: process.geteuid?.() ?? 0 };
}

async function gidOf(name: string): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const text = ifThere(() => readFileSync(GROUPS, 'utf8')) ?? '';
  return gidIn(text, name) ?? gidIn(await askSystem(name), name);
}

/** What the other sources of groups say, such as LDAP, in the format of /etc/group. */
async function askSystem(name: string): Promise<string> {
  const asking = promisify(execFile)('getent', ['group', name], { timeout: GETENT_MS });
  // Without such a group it exits with 2; not every system has the command.
  return asking.then(
    ({ stdout }) => stdout,
    () => '',
  );
}

/** https://man7.org/linux/man-pages/man5/group.5.html */
function gidIn(text: string, name: string): number | undefined {
  for (const line of text.split('\n')) {
    const [found, , gid = ''] = line.split(':');
    if (found === name && /^\d+$/.test(gid)) return Number(gid);
  }
  return undefined;
}
