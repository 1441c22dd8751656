import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import pino, { type Logger } from 'pino';
import { type RunningWorker, startWorker } from '../jobs/worker.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import type { Rotation } from './ledger/rotation.ts';
import type { Config, Connection } from './policy/config.ts';
import { loadConfig } from './policy/load-config.ts';
import { nearest } from './policy/nearest.ts';
import type { Policy } from './policy/policy.ts';
import { openEmbedded } from './postgres/embedded/cluster.ts';
import { ensureStateDatabase, ensureTarget } from './postgres/embedded/databases.ts';
import { openUsePoller } from './postgres/use-poller.ts';
import { migrateQueue } from './queue/migrate-queue.ts';
import { openQueue, type RotationQueue } from './queue/queue.ts';
import { nextDue } from './rotation/due-rotation.ts';
import { openContext } from './rotation/open-context.ts';
import type { OpenDestination, RotationContext } from './rotation/rotation-context.ts';
import { openStore } from './secret-store/open-store.ts';
import type { SecretStore } from './secret-store/secret-store.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Everything else gets it from here. */
export const environment: Environment = process.env;

/** A policy was asked for that the configuration does not have. */
export class UnknownPolicyError extends Error {
  override readonly name = 'UnknownPolicyError';
}

/** Everything that one process needs, built from the configuration. Parts are opened when first asked for. */
export interface App extends AsyncDisposable {
  /** As it is now: a worker takes over what is edited. */
  readonly config: Config;
  readonly clock: Clock;
  /** Throws an UnknownPolicyError that suggests the nearest name. */
  policy(name: string): Policy;
  state(): Promise<{ readonly ledger: Ledger; readonly queue: RotationQueue }>;
  /** The connection of a policy, with its database and logins made where it is the embedded PostgreSQL. */
  connection(policy: Policy): Promise<Connection>;
  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]];
  /** A context for the steps of a rotation. Close it after use. */
  context(rotation: Rotation): Promise<RotationContext & AsyncDisposable>;
  /** Runs a worker in this process until the application is closed. */
  work(): Promise<RunningWorker>;
}

export interface AppOptions {
  readonly configPath: string;
  readonly env: Environment;
  readonly cwd: string;
  /** Whether the embedded PostgreSQL goes, data and all, when the application is closed. */
  readonly ephemeral?: boolean;
  /** How often a worker sweeps, and looks whether its configuration was edited; milliseconds. */
  readonly sweepInterval?: number;
}

/** Opens the application. Throws a ConfigError when the configuration is not valid. */
export async function openApp({
  configPath,
  env,
  cwd,
  ephemeral = false,
  sweepInterval = 60_000,
}: AppOptions): Promise<App> {
  const source = { path: configPath, env, cwd };
  let config = loadConfig(source);
  const log = openLog(env);
  const clock = systemClock;
  const poller = openUsePoller(clock);
  const closers: (() => Promise<unknown>)[] = [];
  const workers: RunningWorker[] = [];
  const stores = new Map<string, SecretStore>();
  const provisioned = new Map<string, Promise<Connection>>();
  /** Policies of which something was seen published: that is not asked again every minute. */
  const published = new Set<string>();

  const embedded = once(async () => {
    const cluster = await openEmbedded({ folder: join(cwd, '.keyturn', 'postgres') });
    closers.push(() => (ephemeral ? cluster.destroy() : cluster.close()));
    return cluster;
  });

  const state = once(async () => {
    const database = config.stateDatabase ?? (await ensureStateDatabase(await embedded()));
    const pool = new pg.Pool({ connectionString: database, max: 5, application_name: 'keyturn ledger' });
    pool.on('error', (error) => log.warn(`the state database has a fault: ${error.message}`));
    closers.push(() => pool.end());
    const ledger = await openLedger(pool, clock);
    if (config.queueRedis === undefined) await migrateQueue(pool);
    const queue = openQueue(config.queueRedis === undefined ? { database } : { redis: config.queueRedis }, {
      nextSlot: async (name, after) => {
        const policy = config.policies.get(name);
        return policy && nextDue(policy, await ledger.timing(name), after);
      },
      log,
      sweepInterval,
    });
    closers.push(() => queue.close());
    return { ledger, queue };
  });

  function store(name: string): SecretStore {
    const found = stores.get(name);
    if (found) return found;
    const settings = config.stores.get(name);
    if (!settings) throw new Error(`No store ${name} is configured`);
    const opened = openStore(settings);
    closers.push(() => opened.close());
    stores.set(name, opened);
    return opened;
  }

  async function isUnpublished(policy: Policy): Promise<boolean> {
    if (published.has(policy.name)) return false;
    const [primary] = app.destinations(policy);
    if (!(await primary.store.read(primary.secrets, 'current'))) return true;
    published.add(policy.name);
    return false;
  }

  const app: App = {
    get config() {
      return config;
    },
    clock,
    policy(name) {
      const policy = config.policies.get(name);
      if (policy) return policy;
      const names = [...config.policies.keys()];
      const like = nearest(name, names);
      throw new UnknownPolicyError(
        `There is no policy ${JSON.stringify(name)}; ${like ? `did you mean ${like}?` : `there is ${names.join(', ') || 'none'}`}`,
      );
    },
    state,
    async connection(policy) {
      const connection = config.connections.get(policy.connection);
      if (!connection) throw new Error(`No connection ${policy.connection} is configured`);
      if (!('embedded' in connection)) return connection;
      const known = provisioned.get(policy.name);
      if (known) return known;
      const made = embedded().then((cluster) => ensureTarget(cluster, connection, policy));
      provisioned.set(policy.name, made);
      return made;
    },
    destinations(policy) {
      const opened = policy.publish.map((destination, index) => ({
        ...destination,
        name:
          index === 0 ? `${destination.store} (primary)` : `${destination.store} (destination ${index + 1})`,
        store: store(destination.store),
      }));
      return opened as [OpenDestination, ...OpenDestination[]];
    },
    async context(rotation) {
      const policy = app.policy(rotation.policy);
      const { ledger } = await state();
      const connection = await app.connection(policy);
      return openContext({
        rotation,
        policy,
        connection,
        destinations: app.destinations(policy),
        ledger,
        clock,
        poller,
      });
    },
    async work() {
      const { ledger, queue } = await state();
      const worker = await startWorker({
        ledger,
        queue,
        log,
        clock,
        sweepInterval,
        source,
        config: () => config,
        onChange: takeOver,
        openContext: app.context,
        isUnpublished,
      });
      workers.push(worker);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      // Workers first, for they use all the rest; then in reverse, for what was opened last leans on what came before.
      for (const worker of workers.splice(0)) await worker.close();
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };

  /** Lets go of what was made from settings that are others now. What rotations under way hold stays open. */
  function takeOver(changed: Config): void {
    for (const name of stores.keys()) {
      if (!isDeepStrictEqual(changed.stores.get(name), config.stores.get(name))) stores.delete(name);
    }
    provisioned.clear();
    published.clear();
    config = changed;
  }

  return app;
}

function openLog(env: Environment): Logger {
  // Standard error: standard output is for data. The redaction is a second line of defence; nothing logs these.
  return pino(
    {
      name: 'keyturn',
      level: env.KEYTURN_LOG_LEVEL ?? 'info',
      redact: ['password', '*.password', 'url', '*.url'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
