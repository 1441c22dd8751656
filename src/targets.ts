import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pMap from 'p-map';
import { closeAll } from './close-all.ts';
import type { Config, Connection } from './config/config.ts';
import type { Destination, Policy } from './config/policy.ts';
import { rotatorPolicyOf } from './config/rotator-policy-of.ts';
import type { Fact } from './facts/fact.ts';
import { fault } from './facts/fault.ts';
import type { RightsCode } from './facts/store-facts.ts';
import { remembering } from './postgres/connection/session-pin.ts';
import { openSessionPool, type SessionPool } from './postgres/connection/session-pool.ts';
import type { Embedded } from './postgres/embedded/cluster.ts';
import { ensureTarget, ensureTargetDatabase } from './postgres/embedded/databases.ts';
import type { OpenDestination } from './rotation/context/policy-view.ts';
import { withRotatorPassword } from './rotation/context/with-rotator-password.ts';
import { openStore } from './secret-store/open-store.ts';
import type { SecretStore } from './secret-store/secret-store.ts';

/** Destinations that are looked at side by side. */
const PARALLEL = { concurrency: 16 };

/**
 * The databases whose logins are rotated, and the stores that they are published to. Each is opened
 * at its first use.
 */
export class Targets implements AsyncDisposable {
  readonly #config: () => Config;
  readonly #embedded: () => Promise<Embedded>;
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #stores = new Map<string, SecretStore>();
  /** By policy: the connection to an embedded database whose logins exist. */
  readonly #provisioned = new Map<string, Promise<Connection>>();
  readonly #sessionPools = new Map<string, SessionPool>();
  /** By connection. Each caches the last working password of its rotator. */
  readonly #rotators = new Map<string, Connection>();
  /** Policies that have something published, so that it is not asked again every minute. */
  readonly #published = new Set<string>();

  /** `config` is called at each use, because a worker takes over edited files. */
  constructor(config: () => Config, embedded: () => Promise<Embedded>) {
    this.#config = config;
    this.#embedded = embedded;
  }

  /**
   * The connection of a policy. In the embedded PostgreSQL, its database and logins are made first.
   */
  async connection(policy: Policy): Promise<Connection> {
    const connection = this.#config().connections.get(policy.connection);
    if (!connection) throw new Error(`No connection ${policy.connection} is configured`);
    if (!('embedded' in connection)) return this.#asRotator(connection);
    const known = this.#provisioned.get(policy.name);
    if (known) return known;
    const made = this.#embedded().then((cluster) => ensureTarget(cluster, connection, policy));
    this.#provisioned.set(policy.name, made);
    return made;
  }

  /**
   * A connection by its name. In the embedded PostgreSQL, its database is made first, but no login.
   */
  async target(name: string): Promise<Connection> {
    const connection = this.#config().connections.get(name);
    if (!connection) throw fault('connection-not-configured', { connection: name });
    return 'embedded' in connection
      ? ensureTargetDatabase(await this.#embedded(), connection)
      : this.#asRotator(connection);
  }

  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]] {
    const opened = policy.publish.map((destination, index) => ({
      ...destination,
      name:
        index === 0 ? `${destination.store} (primary)` : `${destination.store} (destination ${index + 1})`,
      store: this.#store(destination.store),
    }));
    // The schema asks for one destination or more.
    return opened as [OpenDestination, ...OpenDestination[]];
  }

  /** A destination that is about to be added to a policy. */
  destination(policy: Policy, added: Destination): OpenDestination {
    return {
      ...added,
      name: `${added.store} (destination ${policy.publish.length + 1})`,
      store: this.#store(added.store),
    };
  }

  sessions(connection: Connection): SessionPool {
    const known = this.#sessionPools.get(connection.name);
    if (known) return known;
    const opened = openSessionPool(connection);
    this.#closers.push(async () => opened[Symbol.asyncDispose]());
    this.#sessionPools.set(connection.name, opened);
    return opened;
  }

  async isUnpublished(policy: Policy): Promise<boolean> {
    if (this.#published.has(policy.name)) return false;
    const [primary] = this.destinations(policy);
    if (!(await primary.store.read(primary.secrets, 'current'))) return true;
    this.#published.add(policy.name);
    return false;
  }

  /** What is wrong with the rights of all stores' folders, each once. `stop` ends it early. */
  async rightsFacts(stop: AbortSignal): Promise<Fact<RightsCode>[]> {
    const found = new Map<string, Fact<RightsCode>>();
    const check = async (policy: Policy) => {
      // The file system is asked synchronously, and a fleet has many folders.
      await nextTurn();
      if (stop.aborted) return;
      for (const { store, secrets } of this.destinations(policy)) {
        // A store that cannot be checked is reported by the first rotation that uses it.
        for (const fact of (await store.rightsFacts?.(secrets).catch(() => [])) ?? []) {
          found.set(`${fact.code} ${fact.params.store} ${fact.params.path}`, fact);
        }
      }
    };
    await pMap(this.#config().policies.values(), check, PARALLEL);
    return [...found.values()];
  }

  /**
   * Forgets what was made from settings that `changed` alters. What running rotations use stays
   * open.
   */
  forget(changed: Config): void {
    for (const name of this.#stores.keys()) {
      if (!isDeepStrictEqual(changed.stores.get(name), this.#config().stores.get(name)))
        this.#stores.delete(name);
    }
    this.#provisioned.clear();
    this.#rotators.clear();
    // Sessions in use are closed when they are given back.
    for (const pool of this.#sessionPools.values()) void pool[Symbol.asyncDispose]();
    this.#sessionPools.clear();
    this.#published.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#closers.splice(0));
  }

  #store(name: string): SecretStore {
    const found = this.#stores.get(name);
    if (found) return found;
    const settings = this.#config().stores.get(name);
    if (!settings) throw new Error(`No store ${name} is configured`);
    const opened = openStore(settings);
    this.#closers.push(() => opened.close());
    this.#stores.set(name, opened);
    return opened;
  }

  /** If the rotator of a connection has a policy, gives the connection its current password. */
  #asRotator(connection: Connection): Connection {
    const known = this.#rotators.get(connection.name);
    if (known) return known;
    const policy = rotatorPolicyOf(connection, this.#config());
    const reached = remembering(
      policy ? withRotatorPassword(connection, policy.name, this.destinations(policy)[0]) : connection,
    );
    this.#rotators.set(connection.name, reached);
    return reached;
  }
}
