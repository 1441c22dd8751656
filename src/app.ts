import type { Logger } from 'pino';
import type { RunningWorker } from '../jobs/worker.ts';
import { closeAll } from './close-all.ts';
import type { Config, Connection } from './config/config.ts';
import { ConfigError, type Path } from './config/config-error.ts';
import { loadLocated } from './config/load-config.ts';
import type { Destination, Policy } from './config/policy.ts';
import { policyNamed } from './config/policy-named.ts';
import type { ConfigSource } from './config/yaml/read-tree.ts';
import { type Environment, prepareEnvironment } from './environment.ts';
import { type Fact, fact } from './facts/fact.ts';
import { factOf } from './facts/fault.ts';
import type { Rotation } from './ledger/rotation.ts';
import { logFact } from './messages/log-fact.ts';
import { openLog } from './open-log.ts';
import { openUsePoller, type UsePoller } from './postgres/sessions/use-poller.ts';
import { healPublished } from './roles/restore/heal-published.ts';
import { openRun } from './rotation/context/open-run.ts';
import { openView } from './rotation/context/open-view.ts';
import type { OpenDestination, PolicyView } from './rotation/context/policy-view.ts';
import type { Preview, RotationRun } from './rotation/context/rotation-view.ts';
import { moduleFaults } from './secret-store/module/load-module.ts';
import { openState, type State } from './state.ts';
import { Targets } from './targets.ts';

/**
 * All that one process needs, built from the configuration. Parts are opened when first asked for.
 */
export interface App extends Omit<State, 'embedded'> {
  /** The configuration in force. It changes when a worker takes over edited files. */
  readonly config: Config;
  /** Where it is, as it was given. */
  readonly configPath: string;
  /** The error for faults that only show at run time, with their places in the configuration. */
  faulty(faults: readonly LocatedFact[]): ConfigError;
  /** Throws a `policy-unknown` that suggests the nearest name. */
  policy(name: string): Policy;
  /**
   * The connection of a policy. In the embedded PostgreSQL, its database and logins are made first.
   */
  connection(policy: Policy): Promise<Connection>;
  /**
   * A connection by its name. In the embedded PostgreSQL, its database is made first, but no login.
   */
  target(name: string): Promise<Connection>;
  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]];
  /** A run of an open rotation. Close it after use. */
  run(rotation: Rotation): Promise<RotationRun & AsyncDisposable>;
  /** A view of a policy, for looking only. Close it after use. */
  view(policy: Policy): Promise<PolicyView & AsyncDisposable>;
  /** What the policy's open rotation meets now, or one that is asked for. Close it after use. */
  preview(policy: Policy, open?: Rotation): Promise<Preview & AsyncDisposable>;
  /** What the configuration is read from. */
  readonly source: ConfigSource;
  /** A destination of a policy that the configuration does not have yet. */
  destination(policy: Policy, added: Destination): OpenDestination;
  /** Runs a worker in this process until the application is closed. */
  work(): Promise<RunningWorker>;
}

/** What is wrong with the entry at a path of the configuration. */
export interface LocatedFact {
  readonly path: Path;
  readonly fact: Fact;
}

export interface AppOptions {
  readonly configPath: string;
  readonly env: Environment;
  readonly cwd: string;
  /** Whether to delete the embedded PostgreSQL with its data when the application is closed. */
  readonly ephemeral?: boolean;
  /** How often a worker sweeps, and checks whether its configuration was edited; milliseconds. */
  readonly sweepInterval?: number;
}

/** Opens the application. Throws a ConfigError when the configuration is not valid. */
export async function openApp(options: AppOptions): Promise<App> {
  prepareEnvironment();
  const app = new OpenApp(options);
  // Before anything is opened or changed: a module is code that somebody else wrote.
  const faults = await moduleFaults(app.config);
  if (faults.length > 0) throw app.faulty(faults);
  return app;
}

class OpenApp implements App {
  readonly configPath: string;
  readonly clock: State['clock'];
  readonly lost: State['lost'];
  readonly source: ConfigSource;
  readonly #problemAt: ReturnType<typeof loadLocated>['problemAt'];
  readonly #sweepInterval: number;
  readonly #log: Logger;
  readonly #state: State;
  readonly #targets: Targets;
  readonly #poller: UsePoller;
  readonly #workers: RunningWorker[] = [];
  readonly #closing = new AbortController();
  #tellingRights: Promise<void> | undefined;
  #config: Config;

  constructor({ configPath, env, cwd, ephemeral = false, sweepInterval = 60_000 }: AppOptions) {
    this.configPath = configPath;
    this.source = { path: configPath, env, cwd };
    const { config: loaded, problemAt } = loadLocated(this.source);
    this.#config = loaded;
    this.#problemAt = problemAt;
    this.#sweepInterval = sweepInterval;
    this.#log = openLog(env.KEYTURN_LOG_LEVEL || 'silent');
    const config = () => this.#config;
    this.#state = openState({ config, cwd, ephemeral, log: this.#log, sweepInterval });
    this.#targets = new Targets(config, () => this.#state.embedded());
    this.#poller = openUsePoller(this.#state.clock);
    this.clock = this.#state.clock;
    this.lost = this.#state.lost;
  }

  get config(): Config {
    return this.#config;
  }

  // Functions rather than methods, because some are passed on without the application.
  readonly ledger = () => this.#state.ledger();
  readonly queue = () => this.#state.queue();
  readonly workers = () => this.#state.workers();
  readonly reach: State['reach'] = (waiting, begin) => this.#state.reach(waiting, begin);
  readonly faulty = (faults: readonly LocatedFact[]) =>
    new ConfigError(faults.map(({ path, fact }) => this.#problemAt(path, fact)));
  readonly policy = (name: string) => policyNamed(this.#config, name);
  readonly connection = (policy: Policy) => this.#targets.connection(policy);
  readonly target = (name: string) => this.#targets.target(name);
  readonly destinations = (policy: Policy) => this.#targets.destinations(policy);
  readonly destination = (policy: Policy, added: Destination) => this.#targets.destination(policy, added);

  readonly run = async (rotation: Rotation): Promise<RotationRun & AsyncDisposable> => {
    const parts = await this.#viewParts(this.policy(rotation.policy));
    const ledger = await this.ledger();
    await this.clock.follow();
    return openRun({ ...parts, rotation, ledger });
  };

  readonly view = async (policy: Policy): Promise<PolicyView & AsyncDisposable> => {
    const parts = await this.#viewParts(policy);
    await this.ledger();
    await this.clock.follow();
    return openView(parts);
  };

  readonly preview = async (policy: Policy, open?: Rotation): Promise<Preview & AsyncDisposable> => {
    const [view, ledger] = [await this.view(policy), await this.ledger()];
    return { ...view, ledger, rotation: open, reason: open?.reason ?? 'manual' };
  };

  readonly work = async (): Promise<RunningWorker> => {
    const { startWorker } = await import('../jobs/worker.ts');
    const worker = await startWorker({
      ledger: await this.ledger(),
      queue: await this.queue(),
      log: this.#log,
      clock: this.clock,
      sweepInterval: this.#sweepInterval,
      source: this.source,
      config: () => this.#config,
      onChange: (changed) => {
        this.#targets.forget(changed);
        this.#config = changed;
      },
      openRun: this.run,
      openView: this.view,
      openRotator: async (name) => this.#targets.sessions(await this.target(name)).rotator(),
      restore: (policy) => healPublished(this, policy),
      isUnpublished: (policy) => this.#targets.isUnpublished(policy),
      destinations: this.destinations,
    });
    this.#workers.push(worker);
    // It looks at each folder of a store, and no job waits for what it finds.
    this.#tellingRights = this.#tellRights();
    return worker;
  };

  async #tellRights(): Promise<void> {
    try {
      for (const found of await this.#targets.rightsFacts(this.#closing.signal))
        logFact(this.#log, 'warn', found);
    } catch (error) {
      logFact(this.#log, 'error', fact('worker-turn-failed', { cause: factOf(error) }));
    }
  }

  async #viewParts(policy: Policy) {
    const connection = await this.connection(policy);
    const destinations = this.destinations(policy);
    const sessions = this.#targets.sessions(connection);
    return { policy, connection, destinations, clock: this.clock, poller: this.#poller, sessions };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    // Workers first, because they use all the rest.
    await closeAll([
      ...this.#workers.splice(0).map((worker) => () => worker.close()),
      async () => this.#tellingRights,
      () => this.#targets[Symbol.asyncDispose](),
      () => this.#state[Symbol.asyncDispose](),
    ]);
  }
}
