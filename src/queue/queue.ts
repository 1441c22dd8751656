import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorCode } from 'bullmq';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { eachOf } from '../each-of.ts';
import { once } from '../once.ts';
import { dispatch, knownData } from './dispatch.ts';
import { inPatience } from './in-patience.ts';
import type { JobHandlers } from './job.ts';
import { openBullQueue } from './open-bull-queue.ts';
import { openBullWorker } from './open-bull-worker.ts';
import { FOREVER, type QueueBackend, workerName } from './queue-backend.ts';
import { isServerFault, queueError } from './queue-error.ts';
import { fromQueueTime, toQueueTime } from './queue-time.ts';
import { untilNotDeadlocked } from './until-not-deadlocked.ts';

/** When a policy is due next, in milliseconds since the epoch; undefined: never. */
export type NextSlot = (policy: string, after: number) => Promise<number | undefined>;

/** Every verb throws a QueueError when the queue cannot be reached. */
export interface RotationQueue {
  /** Resolves once the queue answers. */
  reach(): Promise<void>;
  /** Queues a rotation; one that is queued already stays as it is. */
  enqueue(rotation: { readonly id: string; readonly policy: string }): Promise<void>;
  /** Has a rotation looked at now, whatever instant it is waiting for. */
  hurry(rotation: { readonly id: string; readonly policy: string }): Promise<void>;
  /**
   * Has the sweep run every minute, from now on where it did not. Returns whether it did: a worker whose clock is
   * wrong may have put it off, or takes every one.
   */
  keepSweeping(): Promise<boolean>;
  /**
   * Makes the policies' job schedulers match: one for each of these, that runs at this instant (milliseconds since
   * the epoch). Those that do already are left alone.
   */
  schedule(due: ReadonlyMap<string, number>): Promise<void>;
  /** Has a policy's scheduler ask anew when it is due. */
  reschedule(policy: string): Promise<void>;
  /** How many workers are up. */
  workers(): Promise<number>;
  /** Starts a worker in this process. */
  work(handlers: JobHandlers): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

const SWEEP = 'sweep';
/** How long a scheduler may stand at a slot that has come, before it counts as stuck. */
const JUST_COME_MS = 30_000;
/** After so many intervals without a sweep each worker sweeps by itself. */
const LATE_SWEEPS = 5;
/** BullMQ's token of whoever wants to move a job that another has. */
const ANY_LOCK = '0';
/** No turn of a rotation takes so long; and a job that was taken so far in the future was taken by a wrong clock. */
const STRAY_MS = 60_000;
/** Two clocks never agree to the millisecond; and a slot that is looked at too early waits for the sweep. */
const CLOCK_MARGIN_MS = 50;
const CLOCK_TOLERANCE_MS = 1_000;
/** Requests under way at once, where each policy needs one. */
const PARALLEL = { parallel: 16 };
const SLOT_PREFIX = 'slot-';
/** How long a queue may take to be reached; BullMQ itself would wait for ever, and a command with it. */
const PATIENCE_MS = 5_000;

// The ledger keeps the history, so the queue keeps nothing; what fails here is tried again until it is settled there.
const JOB = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: FOREVER,
  backoff: { type: 'fixed', delay: 5_000 },
} as const;

const THERE_ALREADY: readonly number[] = [ErrorCode.SchedulerJobIdCollision, ErrorCode.SchedulerJobSlotsBusy];

/** Opens the queue. The same on both backends; connections are made at the first use. */
export function openQueue(
  backend: QueueBackend,
  {
    nextSlot,
    log,
    sweepInterval = 60_000,
    clock,
  }: {
    readonly nextSlot: NextSlot;
    readonly log: Logger;
    /** Milliseconds. */
    readonly sweepInterval?: number;
    /** By which the instants of `nextSlot` and `schedule` are counted; left out: this machine's. */
    readonly clock?: Clock;
  },
): RotationQueue {
  const toWall = (instant: number) => toQueueTime(instant, clock) + (clock ? CLOCK_MARGIN_MS : 0);
  const settings = {
    // BullMQ asks here when a scheduler runs next; its `pattern` carries the policy's name.
    repeatStrategy: async (after: number, { pattern = '' }: { pattern?: string }) => {
      const next = await nextSlot(pattern, fromQueueTime(after, clock));
      return next === undefined ? undefined : toWall(next);
    },
  };
  const bull = openBullQueue(backend, settings);
  const faults = tellFaults(bull, (fault) => log.warn(`the queue has a fault: ${fault}`));

  const queue = inPatience(bull, {
    late: () => queueError(backend, new Error('it does not answer')),
    name: (fault) => (isServerFault(fault) ? queueError(backend, fault as Error) : fault),
  });

  async function wait(client: Client, { latest }: { readonly latest: () => Error }): Promise<void> {
    const patience = new AbortController();
    const reached = client.waitUntilReady().finally(() => patience.abort());
    const tooLate = await Promise.race([
      reached,
      sleep(PATIENCE_MS, true, { ref: false, signal: patience.signal }).catch(() => false),
    ]);
    if (tooLate) throw queueError(backend, latest());
  }

  // Once for all verbs: a sweep calls them for every policy. What is lost later, the clients notice by themselves.
  let ready: Promise<void> | undefined;
  let reached = false;
  function reach(): Promise<void> {
    ready ??= wait(bull, faults).then(
      () => {
        reached = true;
      },
      (error) => {
        ready = undefined;
        throw error;
      },
    );
    return ready;
  }

  /** Whether it answers still, at the end. Asked once: worker and queue are closed one after the other. */
  const answers = once(async () => {
    const asked = bull.count().then(
      () => true,
      () => false,
    );
    return Promise.race([asked, sleep(PATIENCE_MS, false, { ref: false })]);
  });

  async function reschedule(policy: string): Promise<void> {
    await reach();
    const job = { name: 'slot', data: { policy }, opts: JOB };
    await untilThere(() => queue.upsertJobScheduler(SLOT_PREFIX + policy, { pattern: policy }, job));
  }

  async function enqueue({ id, policy }: { readonly id: string; readonly policy: string }): Promise<void> {
    await reach();
    await queue.add('rotate', { rotation: id, policy }, { ...JOB, jobId: id });
  }

  return {
    reach,
    enqueue,
    async hurry(rotation) {
      await reach();
      const job = await queue.getJob(rotation.id);
      if (!job) return enqueue(rotation);
      if (await job.isDelayed()) await job.promote().catch(() => {});
      // Else it is running, or about to. Where a wrong clock keeps BullMQ from seeing that its worker died, it is put back.
      else if (isStray(job.processedOn)) await job.moveToDelayed(Date.now(), ANY_LOCK).catch(() => {});
    },
    async keepSweeping() {
      await reach();
      const next = (await queue.getJobScheduler(SWEEP))?.next;
      // One that is a little late is about to run. One that is very late is held by a worker that died, or by a wrong clock.
      const late = next === undefined ? undefined : Date.now() - next;
      if (late !== undefined && late > -2 * sweepInterval && late < LATE_SWEEPS * sweepInterval) return true;
      if (next !== undefined) await untilNotDeadlocked(() => queue.removeJobScheduler(SWEEP));
      await untilThere(() =>
        queue.upsertJobScheduler(SWEEP, { every: sweepInterval }, { name: 'sweep', opts: JOB }),
      );
      return false;
    },
    async schedule(due) {
      await reach();
      const present = new Map<string, number>();
      for (const { key, next = 0 } of await queue.getJobSchedulers()) {
        if (key.startsWith(SLOT_PREFIX)) present.set(key.slice(SLOT_PREFIX.length), next);
      }
      const now = Date.now();
      // A slot that has just come is being acted on; BullMQ asks for the next one when its job begins.
      const tolerance = clock ? CLOCK_TOLERANCE_MS : 0;
      const isRight = (next: number | undefined, wanted: number) =>
        next !== undefined &&
        (Math.abs(next - wanted) <= tolerance || (next <= now && now - next < JUST_COME_MS));
      const wrong = [...due].filter(([policy, instant]) => !isRight(present.get(policy), toWall(instant)));
      const gone = [...present.keys()].filter((policy) => !due.has(policy));
      await eachOf(wrong, ([policy]) => reschedule(policy), PARALLEL);
      await eachOf(
        gone,
        (policy) => untilNotDeadlocked(() => queue.removeJobScheduler(SLOT_PREFIX + policy)),
        PARALLEL,
      );
    },
    reschedule,
    async workers() {
      await reach();
      const own = `:w:${workerName(backend)}`;
      return (await queue.getWorkers()).filter(({ rawname }) => rawname?.endsWith(own)).length;
    },
    async work(handlers) {
      const worker = openBullWorker(backend, dispatch(handlers), settings);
      const its = tellFaults(worker, (fault) => log.warn(`the worker has a fault: ${fault}`));
      worker.on('failed', (job, error) =>
        log.error(knownData(job?.data), `the job ${job?.name} failed: ${error.message}`),
      );
      await wait(worker, its).catch(async (error) => {
        await worker.close(true);
        throw error;
      });
      return {
        async close() {
          if (await answers()) return worker.close();
          // With force it leaves what is under way. Its farewell would be waited for without end.
          void worker.close(true).catch(() => {});
        },
      };
    },
    async close() {
      // One that was never reached has nobody to say farewell to, and closes at once.
      if (!reached || (await answers())) return bull.close();
      void bull.disconnect().catch(() => {});
    },
  };
}

/** Whether nobody seems to run a job any more that was taken at this instant. Running it twice does no harm. */
function isStray(takenAt: number | undefined): boolean {
  return takenAt !== undefined && Math.abs(takenAt - Date.now()) > STRAY_MS;
}

/** What queue and worker of BullMQ have in common here. */
interface Client {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
}

/**
 * Tells a client's faults when they change: it tries again every second, and once is enough to know. Only messages: a
 * Redis error also carries the command it answers, an AUTH with its password too.
 */
function tellFaults(client: Client, tell: (fault: string) => void): { readonly latest: () => Error } {
  let latest = new Error('it does not answer');
  client.on('error', (fault) => {
    if (fault.message !== latest.message) tell(fault.message);
    latest = fault;
  });
  return { latest: () => latest };
}

async function untilThere(upsert: () => Promise<unknown>): Promise<void> {
  try {
    await untilNotDeadlocked(upsert);
  } catch (error) {
    // Another worker made the same job at the same time, or is running it: either way it is there.
    if (!THERE_ALREADY.includes((error as { code?: number }).code ?? 0)) throw error;
  }
}
