import { hostname } from 'node:os';
import { resolve } from 'node:path';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { Clock } from '../src/clock.ts';
import type { Config } from '../src/config/config.ts';
import type { Policy } from '../src/config/policy.ts';
import { watchConfig } from '../src/config/watch-config.ts';
import type { ConfigSource } from '../src/config/yaml/read-tree.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf } from '../src/facts/fault.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import { isWrong } from '../src/ledger/state-clock.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { Session } from '../src/postgres/connection/connect.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import type { OpenDestination, PolicyView } from '../src/rotation/context/policy-view.ts';
import type { RotationRun } from '../src/rotation/context/rotation-view.ts';
import { DISCARD_EVERY_MS, discardTurn } from './discard.ts';
import { startProbes } from './probe.ts';
import { type Repeated, repeat } from './repeat.ts';
import { rotateJob } from './rotate.ts';
import { slotJob } from './slot.ts';
import { sweepJob } from './sweep.ts';

/** How long a closing worker waits for the turn under way. */
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
  readonly openRun: (rotation: Rotation) => Promise<RotationRun & AsyncDisposable>;
  readonly openView: (policy: Policy) => Promise<PolicyView & AsyncDisposable>;
  /** A session of the rotator of a connection. */
  readonly openRotator: (connection: string) => Promise<Session>;
  /** Makes what a policy publishes work again. */
  readonly restore: (policy: Policy) => Promise<void>;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
  readonly destinations: (policy: Policy) => readonly OpenDestination[];
}

export interface RunningWorker {
  /**
   * Takes over the configuration as its files are now. A configuration with problems is refused,
   * and the log says so.
   */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a worker that takes all jobs. It resolves after the first sweep: what was due is queued,
 * and lost jobs are back.
 */
export async function startWorker(parts: WorkerParts): Promise<RunningWorker> {
  const { queue, log, clock, source, config } = parts;
  const policies = () => config().policies;
  const isClockWrong = () => isWrong(clock);
  const keep = () => config().history.keep;
  const sweep = sweepJob({ ...parts, now: () => clock.now(), policies, isClockWrong, keep });
  const watch = watchConfig(source, config(), {
    log: {
      info: (fact) => logFact(log, 'info', fact),
      warn: (fact) => logFact(log, 'warn', fact),
      error: (fact) => logFact(log, 'error', fact),
    },
    async onChange(changed) {
      parts.onChange(changed);
      await sweep();
    },
  });
  const worker = await takeJobs(parts, { sweep, refresh: () => watch.refresh() });
  try {
    await sweep();
    await queue.keepSweeping();
  } catch (error) {
    await worker.close();
    throw error;
  }

  const turns = startTurns(parts, { sweep, look: () => watch.look() });
  const repeated = startRepeated(parts, { policies, isClockWrong });
  return {
    reload: () => turns.take(() => watch.reload()),
    async close() {
      turns.stop();
      for (const each of repeated) each.stop();
      // A server that stalls may hold a turn for ever. Nobody needs its result any more.
      const last = Promise.all([turns.last(), ...repeated.map((each) => each.last())]);
      const ended = pTimeout(last, { milliseconds: TURN_PATIENCE_MS, message: false });
      await Promise.all([worker.close(), ended]);
    },
  };
}

/** What each worker does apart from the sweep: a server that stalls must not hold that up. */
function startRepeated(
  parts: WorkerParts,
  watched: {
    readonly policies: () => ReadonlyMap<string, Policy>;
    readonly isClockWrong: () => boolean;
  },
): readonly Repeated[] {
  const discard = discardTurn({ ...parts, ...watched });
  return [
    startProbes({ ...parts, ...watched }),
    repeat(discard, { every: DISCARD_EVERY_MS, isOff: watched.isClockWrong }),
  ];
}

/** Has the queue give its jobs to this process. */
function takeJobs(
  parts: WorkerParts,
  { sweep, refresh }: { readonly sweep: () => Promise<void>; readonly refresh: () => Promise<boolean> },
) {
  const { ledger, queue, log, clock, source, config, openRun, isUnpublished } = parts;
  const find = (name: string) => config().policies.get(name);
  return queue.work({
    rotate: rotateJob({
      ledger,
      log,
      clock,
      isConfigured: (name) => find(name) !== undefined,
      refresh: () => refresh().catch(turnFailed(log, true)),
      place: { host: hostname(), config: resolve(source.cwd, source.path) },
      openRun,
      async onSettled(name, replacement) {
        if (replacement) await queue.enqueue(replacement);
        const policy = find(name);
        if (policy?.schedule && policy.autoRotate) await queue.reschedule(name);
      },
    }),
    slot: slotJob({ ledger, queue, now: () => clock.now(), policy: find, isUnpublished }),
    sweep,
  });
}

/** Logs the fault of a turn, and goes on with what it would have returned. */
function turnFailed<Result>(log: Logger, result: Result): (error: unknown) => Result {
  return (error) => {
    logFact(log, 'error', fact('worker-turn-failed', { cause: factOf(error) }));
    return result;
  };
}

/** What each worker does by itself at intervals, one turn after the other. */
interface Turns {
  /** Adds a turn to the end. Its fault is logged. */
  take(act: () => Promise<void>): Promise<void>;
  /** Resolves when all turns so far are over. */
  last(): Promise<void>;
  stop(): void;
}

/**
 * The sweep is a job, which one worker takes. Each worker also takes turns: it looks whether its
 * own configuration was edited, and restores the sweep's job if the queue has lost it, as after
 * Redis was flushed.
 */
function startTurns(
  { queue, log, clock, sweepInterval }: WorkerParts,
  { sweep, look }: { readonly sweep: () => Promise<void>; readonly look: () => Promise<void> },
): Turns {
  let turn = Promise.resolve();
  const take = (act: () => Promise<void>) => {
    turn = turn.then(act).catch(turnFailed(log, undefined));
    return turn;
  };
  const timer = setInterval(() => {
    // If the queue has lost the sweep, run it here: a worker whose clock is wrong may take its job.
    void take(async () => {
      if (!isWrong(clock) && !(await queue.keepSweeping())) await sweep();
    });
    void take(look);
  }, sweepInterval);
  return { take, last: () => turn, stop: () => clearInterval(timer) };
}
