import { isDeepStrictEqual } from 'node:util';
import type { RunningWorker } from '../jobs/worker.ts';
import { closeAll } from './close-all.ts';
import type { Config, Connection } from './config/config.ts';
import { ConfigError, type Path } from './config/config-error.ts';
import { loadLocated } from './config/load-config.ts';
import type { Policy } from './config/policy.ts';
import { policyNamed } from './config/policy-named.ts';
import { rotatorPolicyOf } from './config/rotator-policy-of.ts';
import { exposedFolders } from './doctor/exposed-folders.ts';
import type { Fact } from './facts/fact.ts';
import type { Rotation } from './ledger/rotation.ts';
import { tell } from './messages/tell.ts';
import { openLog } from './open-log.ts';
import { remembering } from './postgres/connection/session-pin.ts';
import { openSessionPool, type SessionPool } from './postgres/connection/session-pool.ts';
import { ensureTarget, ensureTargetDatabase } from './postgres/embedded/databases.ts';
import { openUsePoller } from './postgres/sessions/use-poller.ts';
import { openContext, openPolicyView } from './rotation/context/open-context.ts';
import type { OpenDestination, PolicyView, RotationContext } from './rotation/context/rotation-context.ts';
import { withRotatorPassword } from './rotation/context/with-rotator-password.ts';
import { openStore } from './secret-store/open-store.ts';
import type { SecretStore } from './secret-store/secret-store.ts';
import { openState, type State } from './state.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Everything else gets it from here. */
export const environment: Environment = { ...process.env };

/** Everything that one process needs, built from the configuration. Parts are opened when first asked for. */
export interface App extends Omit<State, 'embedded'> {
  /** As it is now: a worker takes over what is edited. */
  readonly config: Config;
  /** The error that names where in the configuration faults are that only the world could tell. */
  faulty(faults: readonly { readonly path: Path; readonly fact: Fact }[]): ConfigError;
  /** Throws a `policy-unknown` that suggests the nearest name. */
  policy(name: string): Policy;
  /** The connection of a policy, with its database and logins made where it is the embedded PostgreSQL. */
  connection(policy: Policy): Promise<Connection>;
  /** A connection by its name. Where it is the embedded PostgreSQL its database is made, but no login. */
  target(name: string): Promise<Connection>;
  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]];
  /** A context for the steps of a rotation. Close it after use. */
  context(rotation: Rotation): Promise<RotationContext & AsyncDisposable>;
  /** A view of a policy, for looking only. Close it after use. */
  view(policy: Policy): Promise<PolicyView & AsyncDisposable>;
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
  closeEnvironment();
  const source = { path: configPath, env, cwd };
  const loaded = loadLocated(source);
  let { config } = loaded;
  const log = openLog(env.KEYTURN_LOG_LEVEL || undefined);
  const state = openState({ config: () => config, cwd, ephemeral, log, sweepInterval });
  const { clock } = state;
  const poller = openUsePoller(clock);
  const workers: RunningWorker[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  const stores = new Map<string, SecretStore>();
  const provisioned = new Map<string, Promise<Connection>>();
  const sessionPools = new Map<string, SessionPool>();
  /** What was the rotator's password the last time is known in there. */
  const rotators = new Map<string, Connection>();
  /** Policies of which something was seen published: that is not asked again every minute. */
  const published = new Set<string>();

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

  /** Of a connection whose rotator has a policy: with the password that is the rotator's now. */
  function asRotator(connection: Connection): Connection {
    const known = rotators.get(connection.name);
    const policy = known ? undefined : rotatorPolicyOf(connection, config);
    const reached =
      known ??
      remembering(
        policy ? withRotatorPassword(connection, policy.name, app.destinations(policy)[0]) : connection,
      );
    rotators.set(connection.name, reached);
    return reached;
  }

  function sessionsOf(connection: Connection): SessionPool {
    const known = sessionPools.get(connection.name);
    if (known) return known;
    const opened = openSessionPool(connection);
    closers.push(async () => opened[Symbol.asyncDispose]());
    sessionPools.set(connection.name, opened);
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
    faulty: (faults) => new ConfigError(faults.map(({ path, fact }) => loaded.problemAt(path, fact))),
    policy: (name) => policyNamed(config, name),
    ledger: state.ledger,
    queue: state.queue,
    reach: state.reach,
    lost: state.lost,
    async connection(policy) {
      const connection = config.connections.get(policy.connection);
      if (!connection) throw new Error(`No connection ${policy.connection} is configured`);
      if (!('embedded' in connection)) return asRotator(connection);
      const known = provisioned.get(policy.name);
      if (known) return known;
      const made = state.embedded().then((cluster) => ensureTarget(cluster, connection, policy));
      provisioned.set(policy.name, made);
      return made;
    },
    async target(name) {
      const connection = config.connections.get(name);
      if (!connection) {
        throw new Error(
          `No connection ${name} is configured any more; put it back under connections, with the database in which the logins are`,
        );
      }
      return 'embedded' in connection
        ? ensureTargetDatabase(await state.embedded(), connection)
        : asRotator(connection);
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
      const parts = await viewParts(app.policy(rotation.policy));
      const ledger = await state.ledger();
      await clock.follow();
      return openContext({ ...parts, rotation, ledger });
    },
    async view(policy) {
      const parts = await viewParts(policy);
      await state.ledger();
      await clock.follow();
      return openPolicyView(parts);
    },
    async work() {
      const { startWorker } = await import('../jobs/worker.ts');
      const worker = await startWorker({
        ledger: await state.ledger(),
        queue: await state.queue(),
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
      const destinations = [...config.policies.values()].flatMap((policy) => app.destinations(policy));
      for (const exposure of await exposedFolders(destinations))
        log.warn(`the store ${exposure.params.store}: ${tell(exposure)}`);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      // Workers first, for they use all the rest.
      await closeAll([
        ...workers.splice(0).map((worker) => () => worker.close()),
        ...closers.splice(0),
        () => state[Symbol.asyncDispose](),
      ]);
    },
  };

  async function viewParts(policy: Policy) {
    const connection = await app.connection(policy);
    const destinations = app.destinations(policy);
    return { policy, connection, destinations, clock, poller, sessions: sessionsOf(connection) };
  }

  /** Lets go of what was made from settings that are others now. What rotations under way hold stays open. */
  function takeOver(changed: Config): void {
    for (const name of stores.keys()) {
      if (!isDeepStrictEqual(changed.stores.get(name), config.stores.get(name))) stores.delete(name);
    }
    provisioned.clear();
    rotators.clear();
    // Sessions in use are closed when they are given back.
    for (const pool of sessionPools.values()) void pool[Symbol.asyncDispose]();
    sessionPools.clear();
    published.clear();
    config = changed;
  }

  return app;
}

/**
 * Takes libpq's variables away from pg, BullMQ's sessions included: it reads them wherever an option is left empty, and some
 * cannot be set to nothing (PGOPTIONS, PGREPLICATION). `environment` keeps them, for `${PGPASSWORD}` in a configuration.
 * With DEBUG the client of Redis prints each command, AUTH with its password too; it looks when it is loaded, which is later.
 */
function closeEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PG') || name === 'DEBUG') delete process.env[name];
  }
}
