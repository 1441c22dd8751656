import type { Occupant, StoreFacts } from '../../facts/store-facts.ts';
import type { Messages } from '../message.ts';

type FileStoreCode = `${'folder' | 'group' | 'link' | 'path'}-${string}` & keyof StoreFacts;

const UNUSABLE: Readonly<Record<string, string>> = {
  EACCES: 'let the user that keyturn runs as read and write there',
  EPERM: 'let the user that keyturn runs as read and write there',
  EROFS: 'the file system is read-only; mount it to be written to',
  ENOSPC: 'make room on the disk',
  EDQUOT: 'make room on the disk, or raise the quota',
  EIO: 'check the disk',
  ESTALE: 'mount the file system again',
  ETIMEDOUT: 'check the server that the folder is mounted from',
  EBUSY: 'find out who uses it',
  EMFILE: 'let keyturn open more files',
  ENFILE: 'let the system open more files',
};

const PLACES = {
  link: "in the place of a link of keyturn's",
  folder: "in the place of a folder of keyturn's",
  file: 'in the place of a file',
} as const;

function named({ kind, target }: Occupant): string {
  if (kind === 'nothing') return 'gone';
  if (kind === 'hard-link') return 'a hard link to a file that has other names';
  return kind === 'link' ? `a symbolic link to ${JSON.stringify(target ?? '')}` : `a ${kind}`;
}

export const fileStoreMessages: Messages<Pick<StoreFacts, FileStoreCode>> = {
  'folder-unusable': {
    text: ({ store, detail }) => `The store ${store}: ${detail}`,
    advice: ({ errno }) => UNUSABLE[errno],
    means:
      'The file system does not let keyturn read or write the folder of a file store now: it is full, read-only, closed or away. keyturn tries again.',
    example: {
      store: 'files',
      errno: 'ENOSPC',
      detail: "ENOSPC: no space left on device, write '/srv/secrets/orders'",
    },
  },
  'folder-invalid': {
    text: ({ store, detail }) => `The store ${store}: ${detail}`,
    advice: 'put the folder right, or choose another',
    means:
      'The path of a file store cannot be used as it is: for instance, a file is where a folder should be.',
    example: { store: 'files', detail: "ENOTDIR: not a directory, mkdir '/srv/secrets/orders'" },
  },
  'folder-contended': {
    text: ({ store, path }) =>
      `The store ${store}: ..data in ${path} led to another version each time that keyturn had read the files`,
    advice: 'it is tried again; if this goes on, find out who replaces the link',
    means:
      'All files of a folder are read from one version, and read again when `..data` changes meanwhile. A rotation changes it once, so something else replaces it all the time.',
    example: { store: 'files', path: '/srv/secrets/orders' },
  },
  'folder-removed': {
    text: ({ store, path }) => `The store ${store}: another process removed ${path} while it was written`,
    advice: 'find out who removes folders there',
    means:
      'A folder that keyturn was writing a version into is gone. Other keyturn processes remove only what nobody has used for an hour.',
    example: { store: 'files', path: '/srv/secrets/orders/..draft-2f6e0e0e' },
  },
  'folder-owned-by-other': {
    text: ({ store, path, uid }) =>
      `The store ${store}: ${path} belongs to the user ${uid}, who could change what is published`,
    advice: ({ own }) =>
      `run keyturn as that user, or give it to the user that keyturn runs as: chown ${own}`,
    means:
      'A folder of a file store, or one above it within the store, belongs to a user who is neither root nor the one that keyturn runs as.',
    example: { store: 'files', path: '/srv/secrets/orders', uid: 1001, own: 1000 },
  },
  'folder-open-to-all': {
    text: ({ store, path, mode }) =>
      `The store ${store}: ${path} may be written by every user (mode ${mode}), who could change what is published`,
    advice: 'close it with chmod o-w, or choose a folder of its own below it',
    means: 'Every user of the machine may create or rename files in a folder of a file store.',
    example: { store: 'files', path: '/srv/secrets/orders', mode: '0777' },
  },
  'folder-replaced': {
    text: ({ store, path, found }) =>
      `The store ${store}: ${path} is ${named(found)}, and keyturn follows no link inside a store`,
    advice: 'make it a folder, or configure the folder that it leads to as a store',
    means: 'A name inside a file store should be a folder and is something else. Nothing there was touched.',
    example: { store: 'files', path: '/srv/secrets/orders', found: { kind: 'link', target: '/tmp/orders' } },
  },
  'folder-exposed': {
    text: ({ store, path, mode, to, may }) =>
      `The store ${store}: the folder ${path} may be ${may === 'write' ? 'written to' : 'looked into'} by ${to === 'group' ? 'its group' : 'every user'} (mode ${mode})`,
    advice: ({ to, may }) =>
      `close it, unless that is meant: chmod ${to === 'group' ? 'g' : 'o'}-${may === 'write' ? 'w' : 'rwx'}`,
    means: 'More users than necessary may use a folder of a file store. This stops no rotation.',
    example: { store: 'files', path: '/srv/secrets', mode: '0755', to: 'others', may: 'read' },
  },
  'folder-closed-to-group': {
    text: ({ store, path, mode, owner, group }) =>
      `The store ${store}: members of the group ${group} cannot pass through ${path} (mode ${mode}, group ${owner}), so they cannot read the secrets`,
    advice: ({ group }) =>
      `give it to the group and open it, chgrp ${group} and chmod g+x; or, if it holds other things, choose a folder that everybody can reach, such as one in /var/lib`,
    means:
      'The configuration lets a group read the secrets of a file store, but a folder on the way keeps its members out. Access control lists are not looked at. This stops no rotation.',
    example: { store: 'files', path: '/srv/secrets', mode: '0700', owner: 0, group: 'orders' },
  },
  'path-rights-differ': {
    text: ({ store, path, mode, owner, wanted, group }) =>
      group === null
        ? `The store ${store}: ${path} has the mode ${mode} instead of ${wanted}`
        : `The store ${store}: ${path} has the mode ${mode} and the group ${owner} instead of ${wanted} and ${group}`,
    advice: 'the next rotation makes a version that has them; or use chgrp and chmod now',
    means:
      'What consumers open was made before `group` or `mode` of the store was configured, or somebody changed it. This stops no rotation.',
    example: {
      store: 'files',
      path: '/srv/secrets/orders/..data',
      mode: '0700',
      owner: 0,
      wanted: '0750',
      group: 'orders',
    },
  },
  'group-unknown': {
    text: ({ store, group }) => `The store ${store}: this machine has no group ${JSON.stringify(group)}`,
    advice: ({ group }) => `make it, groupadd ${group}; or, in a container, configure its number`,
    means:
      'The `group` of a file store is neither in /etc/group nor known to the system in another way. Nothing was written.',
    example: { store: 'files', group: 'orders' },
  },
  'group-not-joined': {
    text: ({ store, group, gid, uid }) =>
      `The store ${store}: the user ${uid} that keyturn runs as may not give files to the group ${group}${group === String(gid) ? '' : ` (${gid})`}`,
    advice: ({ group }) =>
      `make keyturn's user a member, usermod -aG ${group}, SupplementaryGroups= of systemd or group_add of Compose, and start keyturn again`,
    means:
      'Only members of a group, and root, may give files to it, and a process has the groups that its user had when it started. In a container without capabilities root must be a member, too. Nothing was published.',
    example: { store: 'files', group: 'orders', gid: 1500, uid: 998 },
  },
  'link-foreign': {
    text: ({ store, path, target }) =>
      `The store ${store}: ${path} leads to ${JSON.stringify(target)}, which is no version of this store, so nothing there was touched`,
    advice: 'find out who made the link, then remove it',
    means:
      'A link such as `..data` in a folder of a file store leads to something that keyturn did not make. keyturn does not follow it.',
    example: { store: 'files', path: '/srv/secrets/orders/..data', target: '/tmp/orders' },
  },
  'path-foreign': {
    text: ({ store, path, found, expected }) =>
      `The store ${store}: ${path} is ${named(found)}${expected === 'secret' ? ', which keyturn did not make' : ` ${PLACES[expected]}`}, so nothing there was touched`,
    advice: ({ expected }) =>
      expected === 'secret' ? 'put a plain file there, or remove it' : 'find out who made it, then remove it',
    means:
      'Something that keyturn did not make has a name that keyturn uses in a folder of a file store. keyturn does not open it.',
    example: {
      store: 'files',
      path: '/srv/secrets/orders/password',
      found: { kind: 'pipe' },
      expected: 'file',
    },
  },
  'path-too-large': {
    text: ({ store, path, limit }) => `The store ${store}: ${path} has more than ${limit / 1_048_576} MiB`,
    advice: 'find out who wrote it, then remove it or make it smaller',
    means:
      'A file of a file store may have 1 MiB, which is as much as a whole Secret of Kubernetes may hold. A larger one is not read.',
    example: { store: 'files', path: '/srv/secrets/orders/password', limit: 1_048_576 },
  },
};
