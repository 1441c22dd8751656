import type { Mapping } from '../../config/policy.ts';
import type { KubernetesStoreConfig } from '../../config/stores.ts';
import type { Fact } from '../../facts/fact.ts';
import { type SecretEntries, secretsOf } from '../secret-content.ts';
import type { SecretStore } from '../secret-store.ts';
import type { Backend, Contents, Held, Shown, Unit } from '../shelf/backend.ts';
import { storeWithShelf } from '../shelf/with-shelf.ts';
import { KubernetesRequests } from './kubernetes-requests.ts';
import { type KubernetesSecret, KubernetesSecrets } from './kubernetes-secrets.ts';
import { Restarts } from './restarts.ts';

/** The key under which the shelf of a Secret lies. */
const SHELF = 'shelf';

/**
 * Opens the Secrets of one namespace of Kubernetes. `orders-db/password` is the key `password` of
 * the Secret `orders-db`; all keys of one Secret change at one instant. A version is staged in
 * another Secret, `orders-db.keyturn`, which no pod mounts, until it is promoted.
 */
export function openKubernetesStore(config: KubernetesStoreConfig): SecretStore {
  return storeWithShelf(config.name, new KubernetesBackend(config));
}

class SeenSecret implements Shown {
  readonly object: KubernetesSecret;

  constructor(object: KubernetesSecret) {
    this.object = object;
  }

  get since(): Date | undefined {
    return this.object.since;
  }

  contentOf(secret: string): string | undefined {
    return this.object.data.get(keyOf(secret));
  }

  namesBeside(secrets: ReadonlyMap<string, SecretEntries>): string[] {
    const named = new Set([...secrets.keys()].map(keyOf));
    return [...this.object.data.keys()].filter((key) => !named.has(key));
  }
}

interface HeldSecret extends Held {
  readonly object: KubernetesSecret;
}

class KubernetesBackend implements Backend<SeenSecret, HeldSecret> {
  readonly #requests: KubernetesRequests;
  readonly #secrets: KubernetesSecrets;
  readonly #restarts: Restarts;

  constructor(config: KubernetesStoreConfig) {
    this.#requests = new KubernetesRequests(config);
    this.#secrets = new KubernetesSecrets(config.name, this.#requests);
    this.#restarts = new Restarts(config.name, config.restart, this.#requests);
  }

  unitsOf(mapping: Mapping): Unit[] {
    const units = new Map<string, Map<string, SecretEntries>>();
    for (const [secret, entries] of secretsOf(mapping)) {
      const [name = ''] = secret.split('/');
      const secrets = units.get(name) ?? new Map<string, SecretEntries>();
      units.set(name, secrets.set(secret, entries));
    }
    return [...units].map(([name, secrets]) => ({ name, secrets }));
  }

  async readShown({ name }: Unit): Promise<SeenSecret | undefined> {
    const found = await this.#secrets.read(name);
    return found && new SeenSecret(found);
  }

  writeShown({ name }: Unit, contents: Contents, replaced: SeenSecret | undefined): Promise<boolean> {
    const data = dataOf(contents);
    if (replaced === undefined) return this.#secrets.create(name, data);
    return this.#secrets.apply(name, data, replaced.object);
  }

  async readShelf({ name }: Unit): Promise<HeldSecret | undefined> {
    const object = await this.#secrets.read(shelfOf(name));
    return object && { object, text: object.data.get(SHELF) ?? '' };
  }

  writeShelf({ name }: Unit, text: string, replaced: HeldSecret | undefined): Promise<boolean> {
    const data = new Map([[SHELF, text]]);
    if (replaced === undefined) return this.#secrets.create(shelfOf(name), data);
    return this.#secrets.apply(shelfOf(name), data, replaced.object);
  }

  async deleteUnit({ name }: Unit): Promise<void> {
    await this.#secrets.delete(name);
    await this.#secrets.delete(shelfOf(name));
  }

  whenShown(units: readonly Unit[], token: string): Promise<void> {
    return this.#restarts.restart(units, token);
  }

  async tryShown({ name }: Unit, contents: Contents, replaced: SeenSecret): Promise<void> {
    await this.#secrets.apply(name, dataOf(contents), replaced.object, { dryRun: true });
  }

  obstacles(): Promise<readonly Fact[]> {
    return this.#restarts.missing();
  }

  close(): Promise<void> {
    return this.#requests.close();
  }
}

function dataOf(contents: Contents): ReadonlyMap<string, string> {
  return new Map([...contents].map(([secret, { text }]) => [keyOf(secret), text]));
}

function keyOf(secret: string): string {
  return secret.slice(secret.indexOf('/') + 1);
}

function shelfOf(name: string): string {
  return `${name}.keyturn`;
}
