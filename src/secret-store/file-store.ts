import { fileErrors } from './file-error.ts';
import { foldersOf, makeFolder, requireFiles } from './file-folder.ts';
import { promoteFolder, requirePromotable } from './file-promotion.ts';
import {
  hasVersion,
  link,
  linkedToken,
  readFields,
  readFolder,
  removeUnlinked,
  unlinkPending,
  writeVersion,
} from './file-version.ts';
import { promotableStages } from './promotable-stages.ts';
import { readVersion } from './read-version.ts';
import { refuseOther } from './refuse-other.ts';
import { requireValues } from './secret-content.ts';
import type { Fields, SecretStore } from './secret-store.ts';
import { StoreError } from './store-error.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Opens the store in a folder of the file system. A mapping over several folders is promoted folder by folder. */
export function openFileStore({
  name,
  path: root,
}: {
  readonly name: string;
  readonly path: string;
}): SecretStore {
  return fileErrors(name, {
    read: (mapping, stage) => readVersion(foldersOf(root, mapping), stage, readFolder),

    async stage(mapping, token, fields, { create }) {
      requireUuid(token);
      requireValues(mapping, fields);
      const folders = foldersOf(root, mapping);
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
      }
    },

    async promote(mapping, token, options) {
      requireUuid(token);
      const folders = foldersOf(root, mapping);
      const stages = promotableStages(options);
      // All are looked at before a link of any moves.
      for (const folder of folders) await requirePromotable(name, folder, token, stages);
      for (const folder of folders) {
        await promoteFolder(folder, token, () => requirePromotable(name, folder, token, stages));
      }
    },

    async discard(mapping, token) {
      requireUuid(token);
      const folders = foldersOf(root, mapping);
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
      const folders = foldersOf(root, mapping);
      for (const folder of folders) await requireFiles(name, folder);
      for (const folder of folders) {
        try {
          await writeVersion(folder, token, fields);
        } finally {
          await removeUnlinked(folder, token);
        }
      }
    },

    async close() {},
  });
}

function requireUuid(token: string): void {
  if (!UUID.test(token))
    throw new StoreError('invalid', `A version's token must be a UUID, not ${JSON.stringify(token)}`);
}
