import { join } from 'node:path';
import type { Logger } from 'pino';
import { closeAll } from './close-all.ts';
import type { Config } from './config/config.ts';
import { inTime } from './in-time.ts';
import { type Ledger, openLedger } from './ledger/ledger.ts';
import { openStatePool } from './ledger/open-state-pool.ts';
import { followClock, type StateClock } from './ledger/state-clock.ts';
import { askClock } from './ledger/state-database.ts';
import { namingFaults, stateError } from './ledger/state-error.ts';
import { withStateClock } from './ledger/with-state-clock.ts';
import { tell } from './messages/tell.ts';
import { placeOf } from './postgres/connection/connect.ts';
import { remembering } from './postgres/connection/session-pin.ts';
import { type Embedded, openEmbedded } from './postgres/embedded/cluster.ts';
import { ensureStateDatabase } from './postgres/embedded/databases.ts';
import type { RotationQueue } from './queue/queue.ts';
import { untilReached, type Waiting } from './queue/until-reached.ts';
import { nextDue } from './rotation/due-rotation.ts';

/**
 * How long sessions may take to end. It is a matter of milliseconds, but one waits for ever on a server that stalls;
 * with what a queue takes to find that out, a worker is gone within the ten seconds that `docker stop` gives it.
 */
const CLOSE_PATIENCE_MS = 3_000;

const HAPPENINGS = {
  lost: 'the embedded PostgreSQL has ended while it is in use; it is started again',
  back: 'the embedded PostgreSQL runs again',
} as const;

/** Where what outlives a process is kept. Each part is opened when first asked for. */
export interface State extends AsyncDisposable {
  /** The state database's; until the ledger is opened it is this machine's. */
  readonly clock: StateClock;
  ledger(): Promise<Ledger>;
  queue(): Promise<RotationQueue>;
  /** The PostgreSQL that comes with keyturn, which keeps the state where no other is configured. */
  embedded(): Promise<Embedded>;
  /** Resolves with the fault when the embedded PostgreSQL has ended and cannot be started again. */
  readonly lost: Promise<Error>;
  /**
   * Waits until the state database and the queue answer and `begin` has come to its end, as `untilReached` does. Begins
   * again where either goes away meanwhile.
   */
  reach(waiting: Waiting, begin: () => Promise<void>): Promise<boolean>;
}

export interface StateOptions {
  /** As it is now; `state` and `queue` count as they are when they are opened. */
  readonly config: () => Config;
  readonly cwd: string;
  /** Whether the embedded PostgreSQL goes, data and all, when the state is closed. */
  readonly ephemeral: boolean;
  readonly log: Logger;
  /** How often a worker sweeps; milliseconds. */
  readonly sweepInterval: number;
}

type Reopenable<Part> = (() => Promise<Part>) & { forget(): void };

export function openState({ config, cwd, ephemeral, log, sweepInterval }: StateOptions): State {
  const opening: Promise<unknown>[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  let lose: (fault: Error) => void = () => {};
  const lost = new Promise<Error>((resolve) => {
    lose = resolve;
  });

  /** Opens a part when it is first asked for. One that could not be opened is opened anew when it is asked for again. */
  function part<Part>(open: () => Promise<Part>): Reopenable<Part> {
    let opened: Promise<Part> | undefined;
    const forget = () => {
      opened = undefined;
    };
    const get = () => {
      if (opened) return opened;
      const mine = open();
      opened = mine;
      opening.push(mine);
      mine.catch(() => {
        if (opened === mine) forget();
      });
      return mine;
    };
    return Object.assign(get, { forget });
  }

  const embedded = part(async () => {
    const cluster = await openEmbedded({
      folder: join(cwd, '.keyturn', 'postgres'),
      onChange: (change) => log.warn(HAPPENINGS[change]),
    });
    void cluster.lost.then(lose);
    closers.push(() => (ephemeral ? cluster.destroy() : cluster.close()));
    return cluster;
  });

  const database = part(async () =>
    remembering(config().stateDatabase ?? (await ensureStateDatabase(await embedded()))),
  );

  const pool = part(async () => {
    const opened = await openStatePool(await database(), (fact) => log.warn(tell(fact)));
    closers.push(() => inTime(opened.end(), CLOSE_PATIENCE_MS));
    return opened;
  });

  const clock = followClock({
    ask: async () => askClock(await pool()),
    tell: (fact) => log.warn(tell(fact)),
  });

  const ledger = part(async () => {
    const place = placeOf(await database());
    try {
      const opened = await openLedger(await pool(), clock);
      await clock.follow();
      return withStateClock(namingFaults(opened, place), clock);
    } catch (error) {
      throw stateError(error, place);
    }
  });

  const queue = part(async () => {
    // BullMQ takes longer to load than all the rest, and most commands do without.
    const [{ migrateQueue }, { openQueue }] = await Promise.all([
      import('./queue/migrate-queue.ts'),
      import('./queue/queue.ts'),
    ]);
    const redis = config().queueRedis;
    if (redis === undefined) await migrateQueue(await pool());
    const opened = openQueue(redis === undefined ? { database: await database() } : { redis }, {
      nextSlot: async (name, after) => {
        const policy = config().policies.get(name);
        return policy && nextDue(policy, await (await ledger()).timing(name), after);
      },
      log,
      sweepInterval,
      clock,
    });
    closers.push(() => inTime(opened.close(), CLOSE_PATIENCE_MS));
    return opened;
  });

  return {
    clock,
    ledger,
    queue,
    embedded,
    lost,
    async reach(waiting, begin) {
      // Outside: it has a patience of its own, and is no server that others run.
      const place = placeOf(await database());
      return untilReached(async () => {
        try {
          await ledger();
          const opened = await queue();
          // BullMQ remembers a first connection to PostgreSQL that failed.
          await opened.reach().catch((error) => {
            if (config().queueRedis === undefined) queue.forget();
            throw error;
          });
          await begin();
        } catch (error) {
          throw stateError(error, place);
        }
      }, waiting);
    },
    async [Symbol.asyncDispose]() {
      // A command may fail while another part of it is being opened: that would come up when nobody closes it any more.
      await inTime(Promise.allSettled(opening), CLOSE_PATIENCE_MS);
      // In reverse, for what was opened last leans on what came before.
      await closeAll(closers.splice(0).toReversed());
    },
  };
}
