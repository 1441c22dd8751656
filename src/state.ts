import { join } from 'node:path';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import { closeAll } from './close-all.ts';
import type { Config, Database } from './config/config.ts';
import { type Fact, fact } from './facts/fact.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import { openStatePool } from './ledger/open-state-pool.ts';
import { followClock, type StateClock } from './ledger/state-clock.ts';
import { askClock } from './ledger/state-database.ts';
import { namingFaults, stateError } from './ledger/state-error.ts';
import { withStateClock } from './ledger/with-state-clock.ts';
import { logFact } from './messages/log-fact.ts';
import { placeOf } from './postgres/connection/place-of.ts';
import { remembering } from './postgres/connection/session-pin.ts';
import { type Embedded, openEmbedded } from './postgres/embedded/cluster.ts';
import { ensureStateDatabase } from './postgres/embedded/databases.ts';
import type { QueueOptions, RotationQueue } from './queue/rotation-queue.ts';
import { untilReached, type Waiting } from './queue/until-reached.ts';
import { reopenable } from './reopenable.ts';
import { nextDue } from './rotation/due-rotation.ts';

/**
 * How long sessions may take to end. It usually takes milliseconds, but a session waits for ever
 * for a server that stalls. `docker stop` gives a worker ten seconds: this leaves time for the
 * queue to notice such a server.
 */
const CLOSE_PATIENCE_MS = 3_000;

/**
 * What outlives a process: the state database with the ledger, and the queue. Each part is opened
 * at its first use.
 */
export interface State extends AsyncDisposable {
  /** The state database's clock. Until the ledger is opened, it is this machine's. */
  readonly clock: StateClock;
  ledger(): Promise<Ledger>;
  queue(): Promise<RotationQueue>;
  /** How many workers are up. In the state database that is told without opening the queue. */
  workers(): Promise<number>;
  /** The PostgreSQL that comes with keyturn. It keeps the state if no other is configured. */
  embedded(): Promise<Embedded>;
  /** Resolves with the fault if the embedded PostgreSQL has ended and cannot be started again. */
  readonly lost: Promise<Error>;
  /**
   * Waits until the state database and the queue answer and `begin` has ended, as `untilReached`
   * does. It starts again if either becomes unreachable meanwhile.
   */
  reach(waiting: Waiting, begin: () => Promise<void>): Promise<boolean>;
}

export interface StateOptions {
  /**
   * The configuration in force. Changes of `state` and `queue` have no effect once they are open.
   */
  readonly config: () => Config;
  readonly cwd: string;
  /** Whether to delete the embedded PostgreSQL with its data when the state is closed. */
  readonly ephemeral: boolean;
  readonly log: Logger;
  /** How often a worker sweeps; milliseconds. */
  readonly sweepInterval: number;
}

export function openState(options: StateOptions): State {
  return new OpenState(options);
}

class OpenState implements State {
  readonly clock: StateClock;
  readonly lost: Promise<Error>;
  readonly #options: StateOptions;
  readonly #opening: Promise<unknown>[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];
  #lose: (fault: Error) => void = () => {};

  readonly #embedded = reopenable(() => this.#openEmbedded(), this.#opening);
  readonly #database = reopenable(() => this.#findDatabase(), this.#opening);
  readonly #pool = reopenable(() => this.#openPool(), this.#opening);
  readonly #ledger = reopenable(() => this.#openLedger(), this.#opening);
  readonly #queue = reopenable(() => this.#openQueue(), this.#opening);

  constructor(options: StateOptions) {
    this.#options = options;
    this.lost = new Promise<Error>((resolve) => {
      this.#lose = resolve;
    });
    this.clock = followClock({
      ask: async () => askClock(await this.#pool.get()),
      tell: (skew) => logFact(options.log, 'warn', skew),
    });
  }

  ledger(): Promise<Ledger> {
    return this.#ledger.get();
  }

  queue(): Promise<RotationQueue> {
    return this.#queue.get();
  }

  async workers(): Promise<number> {
    if (this.#options.config().queueRedis !== undefined) return (await this.queue()).workers();
    const { countWorkers } = await import('./queue/count-workers.ts');
    return countWorkers(await this.#pool.get(), { database: await this.#database.get() });
  }

  embedded(): Promise<Embedded> {
    return this.#embedded.get();
  }

  async reach(waiting: Waiting, begin: () => Promise<void>): Promise<boolean> {
    // Outside of the attempts, because the embedded server has its own time limit.
    await this.#database.get();
    const attempt = async () => {
      await this.ledger();
      const opened = await this.queue();
      // BullMQ remembers a first connection to PostgreSQL that failed.
      await opened.reach().catch((error) => {
        if (this.#options.config().queueRedis === undefined) this.#queue.forget();
        throw error;
      });
      await begin();
    };
    return untilReached(() => this.#named(attempt), waiting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A command may fail while another part of it is still being opened. Nothing would close that
    // part later.
    await inTime(Promise.allSettled(this.#opening));
    // In reverse order, because later parts use earlier ones.
    await closeAll(this.#closers.splice(0).toReversed());
  }

  async #openEmbedded(): Promise<Embedded> {
    const { cwd, ephemeral, log } = this.#options;
    const cluster = await openEmbedded({
      folder: join(cwd, '.keyturn', 'postgres'),
      onChange: (change) =>
        logFact(log, 'warn', fact(change === 'lost' ? 'embedded-ended' : 'embedded-runs-again', {})),
    });
    void cluster.lost.then(this.#lose);
    this.#closers.push(() => (ephemeral ? cluster.destroy() : cluster.close()));
    return cluster;
  }

  async #findDatabase(): Promise<Database> {
    return remembering(
      this.#options.config().stateDatabase ?? (await ensureStateDatabase(await this.embedded())),
    );
  }

  async #openPool() {
    const warn = (fault: Fact) => logFact(this.#options.log, 'warn', fault);
    const database = await this.#database.get();
    const opened = await this.#named(() => openStatePool(database, warn));
    this.#closers.push(() => inTime(opened.end()));
    return opened;
  }

  async #openLedger(): Promise<Ledger> {
    const place = placeOf(await this.#database.get());
    const opened = await this.#named(async () => {
      const ledger = await openLedger(await this.#pool.get(), this.clock);
      await this.clock.follow();
      return ledger;
    });
    return withStateClock(namingFaults(opened, place), this.clock);
  }

  /** Does something in the state database; its faults name the server. */
  async #named<T>(act: () => Promise<T>): Promise<T> {
    const place = placeOf(await this.#database.get());
    return act().catch((error: unknown) => {
      throw stateError(error, place);
    });
  }

  async #openQueue(): Promise<RotationQueue> {
    const { config, log, sweepInterval } = this.#options;
    // BullMQ takes longer to load than everything else, and most commands do not need it.
    const [{ migrateQueue }, { openQueue }] = await Promise.all([
      import('./queue/migrate-queue.ts'),
      import('./queue/queue.ts'),
    ]);
    const redis = config().queueRedis;
    if (redis === undefined) await this.#named(async () => migrateQueue(await this.#pool.get()));
    const opened = openQueue(redis === undefined ? { database: await this.#database.get() } : { redis }, {
      nextSlot: async (name, after) => {
        const policy = config().policies.get(name);
        return policy && nextDue(policy, await (await this.ledger()).timing(name), after);
      },
      onFault: logQueueFaults(log),
      sweepInterval,
      clock: this.clock,
    });
    this.#closers.push(() => inTime(opened.close()));
    return opened;
  }
}

/** Waits for something to close, in bounded time. A later result is ignored. */
async function inTime(closing: Promise<unknown>): Promise<void> {
  await pTimeout(closing, { milliseconds: CLOSE_PATIENCE_MS, message: false });
}

/** Logs what happens to a queue's clients and jobs. */
export function logQueueFaults(log: Logger): QueueOptions['onFault'] {
  return (fault, job) => logFact(log, fault.code === 'job-failed' ? 'error' : 'warn', fault, job);
}
