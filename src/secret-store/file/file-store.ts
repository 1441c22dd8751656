import { promotableStages } from '../promotable-stages.ts';
import { readVersion } from '../read-version.ts';
import { refuseOther } from '../refuse-other.ts';
import { requireValues } from '../secret-content.ts';
import type { Fields, SecretStore } from '../secret-store.ts';
import { StoreError } from '../store-error.ts';
import { fileErrors } from './file-error.ts';
import { type Folder, foldersOf, makeFolder, requireFiles, safeFolders } from './file-folder.ts';
import { exposuresOf } from './file-guard.ts';
import { promoteFolder, requirePromotable } from './file-promotion.ts';
import { removeUnlinked } from './file-pruning.ts';
import {
  hasVersion,
  isToken,
  link,
  linkedToken,
  readFields,
  readFolder,
  unlinkPending,
  writeVersion,
} from './file-version.ts';

/** Opens the store in a folder of the file system. A mapping over several folders is promoted folder by folder. */
export function openFileStore({
  name,
  path: root,
}: {
  readonly name: string;
  readonly path: string;
}): SecretStore {
  return fileErrors(name, {
    read: async (mapping, stage) => readVersion(await safeFolders(root, mapping), stage, readFolder),

    async stage(mapping, token, fields, { create }) {
      requireUuid(token);
      requireValues(mapping, fields);
      const folders = await safeFolders(root, mapping);
      let first: Fields = {};
      // All are looked at before any is made.
      for (const folder of folders) {
        if (await hasVersion(folder, token)) first = { ...first, ...(await readFields(folder, token)) };
        else if (!create) await requireFiles(name, folder);
      }
      for (const folder of folders) {
        await makeFolder(root, folder.path);
        if (!(await hasVersion(folder, token))) {
          refuseOther(name, token, first, fields);
          await writeVersion(folder, token, fields);
        }
        first = { ...first, ...(await readFields(folder, token)) };
        const promoted = await Promise.all(
          (['current', 'previous'] as const).map((stage) => linkedToken(folder, stage)),
        );
        if (!promoted.includes(token)) await link(folder, 'pending', token);
        await requireStaged(name, folder, token);
      }
    },

    async promote(mapping, token, options) {
      requireUuid(token);
      const folders = await safeFolders(root, mapping);
      const stages = promotableStages(options);
      // All are looked at before a link of any moves.
      for (const folder of folders) await requirePromotable(name, folder, token, stages);
      for (const folder of folders) {
        await promoteFolder(folder, token, () => requirePromotable(name, folder, token, stages));
      }
    },

    async discard(mapping, token) {
      requireUuid(token);
      const folders = await safeFolders(root, mapping);
      const current = await Promise.all(folders.map((folder) => linkedToken(folder, 'current')));
      // Its promotion has begun, and what is current in one folder must become so in all.
      if (current.includes(token)) return;
      for (const folder of folders) {
        await unlinkPending(folder, token);
        await removeUnlinked(folder, token);
      }
    },

    async rehearse(mapping, token, fields) {
      requireUuid(token);
      requireValues(mapping, fields);
      const folders = await safeFolders(root, mapping);
      for (const folder of folders) await requireFiles(name, folder);
      for (const folder of folders) {
        try {
          await writeVersion(folder, token, fields);
        } finally {
          await removeUnlinked(folder, token);
        }
      }
    },

    async exposures(mapping) {
      const found = await Promise.all(foldersOf(root, mapping).map(({ path }) => exposuresOf(root, path)));
      return [...new Map(found.flat().map((exposure) => [exposure.path, exposure])).values()];
    },

    async close() {},
  });
}

/** A process that stood still for an hour between writing a version and linking it may find that it was pruned. */
async function requireStaged(store: string, folder: Folder, token: string): Promise<void> {
  if (await hasVersion(folder, token)) return;
  throw new StoreError(
    'conflict',
    `The store ${store}: another process removed the version ${token} from ${folder.path} before it was pending; it is tried again`,
  );
}

function requireUuid(token: string): void {
  if (isToken(token)) return;
  throw new StoreError('invalid', `A version's token must be a UUID, not ${JSON.stringify(token)}`);
}
