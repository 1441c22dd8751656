import type { Mapping } from '../../config/policy.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import type { RightsCode } from '../../facts/store-facts.ts';
import { latestOf, promotableStages, refuseOther } from '../adapter-rules.ts';
import { readVersion } from '../read-version.ts';
import { requireValues } from '../secret-content.ts';
import type { Fields, PromoteOptions, SecretStore, Stage, Version } from '../secret-store.ts';
import { accessOf } from './file-access.ts';
import { fileErrors } from './file-error.ts';
import {
  type Folder,
  foldersOf,
  makeFolder,
  missingFiles,
  requireFiles,
  requireWritable,
  safeFolders,
} from './file-folder.ts';
import { exposuresOf } from './file-guard.ts';
import { hasVersion, isToken, link, linkedToken, promotedAt, unlinkPending } from './file-layout.ts';
import { promoteFolder, requirePromotable } from './file-promotion.ts';
import { removeUnlinked } from './file-pruning.ts';
import { removeSecrets, requireOwn } from './file-removal.ts';
import { mayGive, notJoined, type Rights, type RightsSettings, rightsOf } from './file-rights.ts';
import { readFields, readFolder, writeVersion } from './file-version.ts';

/**
 * Opens the store in a folder of the file system. A mapping over several folders is promoted folder
 * by folder.
 */
export function openFileStore({
  name,
  path,
  ...settings
}: RightsSettings & { readonly name: string; readonly path: string }): SecretStore {
  return fileErrors(name, new FileStore(name, path, settings));
}

class FileStore implements Required<SecretStore> {
  readonly #name: string;
  readonly #root: string;
  readonly #settings: RightsSettings;

  constructor(name: string, root: string, settings: RightsSettings) {
    this.#name = name;
    this.#root = root;
    this.#settings = settings;
  }

  async read(mapping: Mapping, stage: Stage): Promise<Version | undefined> {
    return readVersion(safeFolders(this.#root, mapping), stage, async (folder, at) => readFolder(folder, at));
  }

  async since(mapping: Mapping): Promise<Date | undefined> {
    const folders = safeFolders(this.#root, mapping);
    const instants = folders.map(promotedAt);
    return latestOf(instants.flatMap((instant) => (instant === undefined ? [] : [new Date(instant)])));
  }

  async stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    { create }: { readonly create: boolean },
  ): Promise<void> {
    requireUuid(token);
    requireValues(mapping, fields);
    const folders = safeFolders(this.#root, mapping);
    const rights = await this.#rights();
    let first: Fields = {};
    // All are looked at before any is made.
    for (const folder of folders) {
      if (hasVersion(folder, token)) first = { ...first, ...readFields(folder, token) };
      else if (!create) requireFiles(this.#name, folder);
    }
    for (const folder of folders) {
      await makeFolder(this.#root, folder.path, rights);
      if (hasVersion(folder, token)) await linkPending(folder, token);
      else {
        refuseOther(this.#name, token, first, fields);
        // The link comes first: a kill after it leaves no version that the next run cannot read,
        // and that it would have to take for an older one.
        await writeVersion(folder, token, fields, rights, () => linkPending(folder, token));
      }
      first = { ...first, ...readFields(folder, token) };
      this.#requireStaged(folder, token);
    }
  }

  async promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void> {
    requireUuid(token);
    const folders = safeFolders(this.#root, mapping);
    const stages = promotableStages(options);
    const rights = await this.#rights();
    // All are looked at before a link of any moves.
    for (const folder of folders) requirePromotable(this.#name, folder, token, stages);
    for (const folder of folders) {
      const recheck = () => requirePromotable(this.#name, folder, token, stages);
      await promoteFolder(folder, token, rights, { ...options, recheck });
    }
  }

  async discard(mapping: Mapping, token: string): Promise<void> {
    requireUuid(token);
    const folders = safeFolders(this.#root, mapping);
    const current = folders.map((folder) => linkedToken(folder, 'current'));
    // Its promotion has begun, and what is current in one folder must become so in all.
    if (current.includes(token)) return;
    for (const folder of folders) {
      await unlinkPending(folder, token);
      removeUnlinked(folder, token);
    }
  }

  async remove(mapping: Mapping): Promise<void> {
    const folders = safeFolders(this.#root, mapping);
    // All are looked at before any is changed.
    for (const folder of folders) requireOwn(this.#name, folder);
    for (const folder of folders) await removeSecrets(folder);
  }

  async obstacles(mapping: Mapping, { create }: { readonly create: boolean }): Promise<readonly Fact[]> {
    const folders = safeFolders(this.#root, mapping);
    const { group } = await this.#rights();
    const missing = create ? [] : folders.flatMap((folder) => missingFiles(this.#name, folder));
    if (missing.length === 0) for (const { path } of folders) requireWritable(path);
    if (group === undefined || mayGive(group)) return missing;
    return [...missing, fact('group-not-joined', notJoined(this.#name, group))];
  }

  async rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void> {
    requireUuid(token);
    requireValues(mapping, fields);
    const folders = safeFolders(this.#root, mapping);
    for (const folder of folders) requireFiles(this.#name, folder);
    const rights = await this.#rights();
    for (const folder of folders) {
      try {
        await writeVersion(folder, token, fields, rights);
      } finally {
        removeUnlinked(folder, token);
      }
    }
  }

  async rightsFacts(mapping: Mapping): Promise<Fact<RightsCode>[]> {
    const rights = await this.#rights();
    const found: Fact<RightsCode>[] = [];
    for (const folder of foldersOf(this.#root, mapping)) {
      found.push(...exposuresOf(this.#root, folder.path, rights));
      if (isConfigured(this.#settings)) found.push(...accessOf(this.#root, folder, rights));
    }
    return [...new Map(found.map((each) => [`${each.code} ${each.params.path}`, each])).values()];
  }

  async close(): Promise<void> {}

  /** Looked up each time: a group may be made, or have another number, while a worker runs. */
  #rights(): Promise<Rights> {
    return rightsOf(this.#name, this.#settings);
  }

  /**
   * A process that stopped for an hour between writing a version and linking it may find it pruned.
   */
  #requireStaged(folder: Folder, token: string): void {
    if (hasVersion(folder, token)) return;
    throw fault('version-removed', { store: this.#name, folder: folder.path, token });
  }
}

/** Puts a version at `pending`, unless it was promoted before. */
async function linkPending(folder: Folder, token: string): Promise<void> {
  const promoted = (['current', 'previous'] as const).map((stage) => linkedToken(folder, stage));
  if (!promoted.includes(token)) await link(folder, 'pending', token);
}

function isConfigured({ group, mode }: RightsSettings): boolean {
  return group !== undefined || mode !== undefined;
}

function requireUuid(token: string): void {
  if (!isToken(token)) throw fault('version-token-invalid', { token });
}
