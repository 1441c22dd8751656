import type { Mapping } from '../../config/policy.ts';
import type { VaultStoreConfig } from '../../config/stores.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { isJson, type SecretEntries, secretsOf } from '../secret-content.ts';
import type { SecretStore } from '../secret-store.ts';
import type { Backend, Contents, Held, Shown, Unit } from '../shelf/backend.ts';
import { EMPTY } from '../shelf/shelf.ts';
import { storeWithShelf } from '../shelf/with-shelf.ts';
import { VaultRequests, type VaultSecret } from './vault-requests.ts';

/** The key under which a secret that is mapped as a whole has its value. */
const WHOLE = 'value';

/** The key under which the shelf of a secret lies. */
const SHELF = 'keyturn';

/**
 * Opens a KV engine of version 2 of HashiCorp Vault or OpenBao. Who reads a secret without a
 * version gets the latest, so a version is staged in another secret, `keyturn/<path>`, until it is
 * promoted. Every write states the version that it replaces. The stages are in that other secret
 * and not in `custom_metadata`: that cannot be written together with a version, nor with a
 * condition, so after a kill it would lie.
 */
export function openVaultStore(config: VaultStoreConfig): SecretStore {
  return storeWithShelf(config.name, new VaultBackend(config));
}

class SeenSecret implements Shown {
  readonly secret: VaultSecret;

  constructor(secret: VaultSecret) {
    this.secret = secret;
  }

  get since(): Date | undefined {
    return this.secret.since;
  }

  contentOf(_secret: string, keyed: boolean): string | undefined {
    const { data = {} } = this.secret;
    if (keyed) return JSON.stringify(data);
    const value = data[WHOLE];
    return typeof value === 'string' ? value : undefined;
  }

  namesBeside(secrets: ReadonlyMap<string, SecretEntries>): string[] {
    // Of a secret that is mapped by key, the keys are compared anyway.
    if ([...secrets.values()].some(isJson)) return [];
    return Object.keys(this.secret.data ?? {}).filter((key) => key !== WHOLE);
  }
}

interface HeldSecret extends Held {
  readonly version: number;
}

class VaultBackend implements Backend<SeenSecret, HeldSecret> {
  readonly #vault: VaultRequests;
  readonly #staging: string;

  constructor(config: VaultStoreConfig) {
    this.#vault = new VaultRequests(config);
    this.#staging = config.staging;
  }

  unitsOf(mapping: Mapping): Unit[] {
    return [...secretsOf(mapping)].map(([name, entries]) => ({ name, secrets: new Map([[name, entries]]) }));
  }

  async readShown({ name }: Unit): Promise<SeenSecret | undefined> {
    const found = await this.#vault.read(name);
    return found && new SeenSecret(found);
  }

  async writeShown({ name }: Unit, contents: Contents, replaced: SeenSecret | undefined): Promise<boolean> {
    const content = contents.get(name);
    if (content === undefined) return true;
    const { version = 0, data = {} } = replaced?.secret ?? {};
    // What is keyed was made from all the keys that are there.
    const next = content.keyed ? JSON.parse(content.text) : { ...data, [WHOLE]: content.text };
    return this.#vault.write(name, next, version);
  }

  async readShelf(unit: Unit): Promise<HeldSecret | undefined> {
    const found = await this.#vault.read(this.#shelfOf(unit));
    if (found === undefined) return undefined;
    if (found.data === undefined) return { version: found.version, text: JSON.stringify(EMPTY) };
    const text = found.data[SHELF];
    return { version: found.version, text: typeof text === 'string' ? text : '' };
  }

  async writeShelf(unit: Unit, text: string, replaced: HeldSecret | undefined): Promise<boolean> {
    const shelf = this.#shelfOf(unit);
    // Otherwise the engine keeps what was staged and discarded among its old versions.
    if (replaced === undefined) await this.#vault.keepOneVersion(shelf);
    return this.#vault.write(shelf, { [SHELF]: text }, replaced?.version ?? 0);
  }

  async deleteUnit(unit: Unit): Promise<void> {
    await this.#vault.delete(unit.name);
    await this.#vault.delete(this.#shelfOf(unit));
  }

  tryShown({ name }: Unit): Promise<void> {
    return this.#vault.requireWritable(name);
  }

  async obstacles(): Promise<readonly Fact[]> {
    if ((await this.#vault.isMountUsable()) !== false) return [];
    return [fact('vault-mount-unusable', this.#vault.mountUnusable())];
  }

  async close(): Promise<void> {
    this.#vault.close();
  }

  #shelfOf({ name }: Unit): string {
    return `${this.#staging}/${name}`;
  }
}
