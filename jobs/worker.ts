import type { Logger } from 'pino';
import type { Clock } from '../src/clock.ts';
import type { Config } from '../src/config/config.ts';
import type { Policy } from '../src/config/policy.ts';
import { watchConfig } from '../src/config/watch-config.ts';
import type { ConfigSource } from '../src/config/yaml/read-tree.ts';
import { inTime } from '../src/in-time.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import { isWrong } from '../src/ledger/state-clock.ts';
import { tell, tellError } from '../src/messages/tell.ts';
import type { RotationQueue } from '../src/queue/queue.ts';
import type { RotationContext } from '../src/rotation/context/rotation-context.ts';
import { rotateJob } from './rotate.ts';
import { slotJob } from './slot.ts';
import { sweepJob } from './sweep.ts';

/** How long a worker that closes waits for a turn under way. */
const TURN_PATIENCE_MS = 5_000;

export interface WorkerParts {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly log: Logger;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly sweepInterval: number;
  readonly source: ConfigSource;
  /** The configuration in force. */
  readonly config: () => Config;
  /** Puts a changed configuration in force. */
  readonly onChange: (config: Config) => void;
  readonly openContext: (rotation: Rotation) => Promise<RotationContext & AsyncDisposable>;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
}

export interface RunningWorker {
  /**
   * Takes over the configuration as its files are now. One with problems is refused, and the log
   * says so.
   */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a worker that takes all jobs. It resolves after the first sweep: what was due is queued,
 * what was lost is back.
 */
export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { ledger, queue, log, clock, source, config, openContext, isUnpublished } = parts;
  const now = () => clock.now();
  const find = (name: string) => config().policies.get(name);
  const sweep = sweepJob({
    ledger,
    queue,
    log,
    now,
    policies: () => config().policies.values(),
    isUnpublished,
    isClockWrong: () => isWrong(clock),
  });
  const worker = await queue.work({
    rotate: rotateJob({
      ledger,
      log,
      clock,
      isConfigured: (name) => find(name) !== undefined,
      openContext,
      async onSettled(name, replacement) {
        if (replacement) await queue.enqueue(replacement);
        const policy = find(name);
        if (policy?.schedule && policy.autoRotate) await queue.reschedule(name);
      },
    }),
    slot: slotJob({ ledger, queue, now, policy: find, isUnpublished }),
    sweep,
  });
  const watch = watchConfig(source, config(), {
    log: {
      info: (fact) => log.info({ code: fact.code }, tell(fact)),
      warn: (fact) => log.warn({ code: fact.code }, tell(fact)),
      error: (fact) => log.error({ code: fact.code }, tell(fact)),
    },
    async onChange(changed) {
      parts.onChange(changed);
      await sweep();
    },
  });
  try {
    await sweep();
    await queue.keepSweeping();
  } catch (error) {
    await worker.close();
    throw error;
  }

  const turns = startTurns(parts, { sweep, look: () => watch.look() });
  return {
    reload: () => turns.take(() => watch.reload()),
    async close() {
      turns.stop();
      // A server that stalls would keep a turn for ever.
      await Promise.all([worker.close(), inTime(turns.last(), TURN_PATIENCE_MS)]);
    },
  };
}

/** What a worker does by itself now and then, one after the other. */
interface Turns {
  /** Queues another turn. A fault of it is logged. */
  take(act: () => Promise<void>): Promise<void>;
  /** Resolves once all turns that were taken are over. */
  last(): Promise<void>;
  stop(): void;
}

/**
 * The sweep is a job that one worker takes. This is what each worker does: it looks whether its own
 * configuration was edited, and gives the sweep back to a Redis that was flushed.
 */
function startTurns(
  { queue, log, clock, sweepInterval }: WorkerParts,
  { sweep, look }: { readonly sweep: () => Promise<void>; readonly look: () => Promise<void> },
): Turns {
  let turn = Promise.resolve();
  const take = (act: () => Promise<void>) => {
    turn = turn.then(act).catch((error: unknown) => log.error(`the worker has a fault: ${tellError(error)}`));
    return turn;
  };
  const timer = setInterval(() => {
    // If the queue lost the sweep, run it here: its job may go to a worker whose clock is wrong.
    void take(async () => {
      if (!isWrong(clock) && !(await queue.keepSweeping())) await sweep();
    });
    void take(look);
  }, sweepInterval);
  return { take, last: () => turn, stop: () => clearInterval(timer) };
}
