import { hostname } from 'node:os';
import { resolve } from 'node:path';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { Clock } from '../src/clock.ts';
import type { Config } from '../src/config/config.ts';
import type { Policy } from '../src/config/policy.ts';
import { type ConfigWatch, watchConfig } from '../src/config/watch-config.ts';
import type { ConfigSource } from '../src/config/yaml/read-tree.ts';
import { type Fact, fact } from '../src/facts/fact.ts';
import { factOf } from '../src/facts/fault.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import { isWrong } from '../src/ledger/state-clock.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { Session } from '../src/postgres/connection/connect.ts';
import type { QueueJob } from '../src/queue/job.ts';
import type { QueueWorker, RotationQueue } from '../src/queue/rotation-queue.ts';
import type { OpenDestination, PolicyView } from '../src/rotation/context/policy-view.ts';
import type { RotationRun } from '../src/rotation/context/rotation-view.ts';
import { Announcer } from './announce.ts';
import { deliverJob } from './deliver.ts';
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
  const { ledger, queue, log, clock, source, config } = parts;
  const policies = () => config().policies;
  const sinks = () => config().sinks;
  const announcer = new Announcer({ outbox: ledger.outbox, queue, now: () => clock.now(), sinks });
  // Before anything can happen that is for them.
  await announcer.keep();
  const isClockWrong = () => isWrong(clock);
  const keep = () => config().history.keep;
  const keepSinks = () => announcer.keep();
  const sweep = sweepJob({ ...parts, now: () => clock.now(), policies, isClockWrong, keep, keepSinks });
  const watch = watchConfig(source, config(), {
    log: factLog(log),
    async onChange(changed) {
      parts.onChange(changed);
      worker.keepRoomFor(sinks().size);
      await announcer.keep();
      await sweep();
    },
  });
  const worker = await takeJobs(parts, { sweep, watch, announcer });
  try {
    await sweep();
    await announcer.look();
    await queue.keepSweeping();
  } catch (error) {
    await worker.close();
    throw error;
  }

  const turns = startTurns(parts, { sweep, look: () => watch.look() });
  const repeated = startRepeated(parts, { policies, isClockWrong, announcer });
  return {
    reload: () => turns.take(() => watch.reload()),
    async close() {
      const ended = endTurns([turns, ...repeated], announcer);
      await Promise.all([worker.close(), ended]);
    },
  };
}

async function endTurns(turns: readonly Repeated[], announcer: Announcer): Promise<void> {
  for (const each of turns) each.stop();
  // What is being delivered is delivered again, by whoever comes next.
  const last = Promise.all([announcer.stop(), ...turns.map((each) => each.last())]);
  // A server that stalls may hold a turn for ever. Nobody needs its result any more.
  await pTimeout(last, { milliseconds: TURN_PATIENCE_MS, message: false });
}

function factLog(log: Logger) {
  const at = (level: 'info' | 'warn' | 'error') => (fact: Fact) => logFact(log, level, fact);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** What each worker does apart from the sweep: a server that stalls must not hold that up. */
function startRepeated(
  parts: WorkerParts,
  watched: {
    readonly policies: () => ReadonlyMap<string, Policy>;
    readonly isClockWrong: () => boolean;
    readonly announcer: Announcer;
  },
): readonly Repeated[] {
  const { announcer, isClockWrong } = watched;
  const discard = discardTurn({ ...parts, ...watched });
  return [
    startProbes({ ...parts, ...watched, onNews: () => announcer.soon() }),
    repeat(discard, { every: DISCARD_EVERY_MS, isOff: isClockWrong }),
    repeat(() => announcer.turn(), { every: parts.sweepInterval, isOff: isClockWrong }),
  ];
}

interface Taking {
  readonly sweep: () => Promise<void>;
  readonly watch: ConfigWatch;
  readonly announcer: Announcer;
}

/** Has the queue give its jobs to this process. */
async function takeJobs(parts: WorkerParts, { sweep, watch, announcer }: Taking): Promise<QueueWorker> {
  const { ledger, queue, log, clock, source, config, openRun, isUnpublished } = parts;
  const find = (name: string) => config().policies.get(name);
  const rotate = rotateJob({
    ledger,
    log,
    clock,
    isConfigured: (name) => find(name) !== undefined,
    isEdited: () => watch.isTouched(),
    refresh: () => watch.refresh().catch(turnFailed(log, true)),
    place: { host: hostname(), config: resolve(source.cwd, source.path) },
    openRun,
    async onSettled(name, replacement) {
      if (replacement) await queue.enqueue(replacement);
      const policy = find(name);
      if (policy?.schedule && policy.autoRotate) await queue.reschedule(name);
    },
  });
  const announced =
    (act: (job: QueueJob, token: string) => Promise<void>) => (job: QueueJob, token: string) =>
      act(job, token).finally(() => announcer.soon());
  const { signal } = announcer;
  const sinks = () => config().sinks;
  const worker = await queue.work({
    deliver: deliverJob({ outbox: ledger.outbox, log, clock, sinks, signal }),
    rotate: announced(rotate),
    slot: slotJob({ ledger, queue, now: () => clock.now(), policy: find, isUnpublished }),
    sweep: announced(sweep),
  });
  worker.keepRoomFor(sinks().size);
  return worker;
}

/** Logs the fault of a turn, and goes on with what it would have returned. */
function turnFailed<Result>(log: Logger, result: Result): (error: unknown) => Result {
  return (error) => {
    logFact(log, 'error', fact('worker-turn-failed', { cause: factOf(error) }));
    return result;
  };
}

/** What each worker does by itself at intervals, one turn after the other. */
interface Turns extends Repeated {
  /** Adds a turn to the end. Its fault is logged. */
  take(act: () => Promise<void>): Promise<void>;
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
