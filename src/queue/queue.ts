import type { Job, Queue, WorkerOptions } from 'bullmq';
import { fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import { inPatience } from './in-patience.ts';
import { dispatch, ForeignJob, type JobData, type JobHandlers, knownData } from './job.ts';
import { type OpenBull, openBullQueue } from './open-bull-queue.ts';
import { openBullWorker, ROTATIONS_AT_ONCE } from './open-bull-worker.ts';
import { type QueueBackend, workerName } from './queue-backend.ts';
import { clientFault, isServerFault, queueFault } from './queue-fault.ts';
import { fromQueueTime } from './queue-time.ts';
import { listenTo, type Reachable, stillAnswers, untilReady } from './reach.ts';
import type { QueuedRotation, QueueOptions, QueueWorker, RotationQueue } from './rotation-queue.ts';
import { SCHEDULERS_AT_ONCE } from './scheduler-batches.ts';
import { JOB, keepSweeping, type SchedulerRange, type Scheduling } from './schedulers.ts';
import { adjustSlots, rescheduleSlot, restoreSlots, scheduleSlots, slotTime } from './slot-schedulers.ts';

/** BullMQ's token of whoever wants to move a job that another has. */
const ANY_LOCK = '0';
/**
 * No turn of a rotation takes so long; and a job taken so far in the future was taken by a wrong
 * clock.
 */
const STRAY_MS = 60_000;

/** More would wait at the server, and hold up what this process asks meanwhile. */
const AT_ONCE = 32;

/** How long jobs of others that are over stay, in milliseconds, and how many go in one step. */
const FINISHED_KEPT_MS = 24 * 3_600_000;
const FINISHED_PER_STEP = 1_000;

/** Opens the queue. The same on both backends; connections are made at the first use. */
export function openQueue(backend: QueueBackend, options: QueueOptions): RotationQueue {
  return new BullRotationQueue(backend, options);
}

class BullRotationQueue implements RotationQueue {
  readonly #backend: QueueBackend;
  readonly #onFault: QueueOptions['onFault'];
  readonly #settings: NonNullable<WorkerOptions['settings']>;
  readonly #bull: Queue<JobData, void, string>;
  readonly #opened: OpenBull<Queue<JobData, void, string>>;
  /** The same, whose requests end in bounded time. */
  readonly #queue: Queue<JobData, void, string>;
  readonly #scheduling: Scheduling;
  readonly #client: Reachable;
  #ready: Promise<void> | undefined;
  #isReached = false;
  #answering: Promise<boolean> | undefined;

  constructor(backend: QueueBackend, { nextSlot, onFault, sweepInterval = 60_000, clock }: QueueOptions) {
    this.#backend = backend;
    this.#onFault = onFault;
    const known = new Map<string, number>();
    this.#settings = {
      repeatStrategy: async (after: number, { pattern = '' }: { pattern?: string }) => {
        const next = known.get(pattern) ?? (await nextSlot(pattern, fromQueueTime(after, clock)));
        return next === undefined ? undefined : slotTime(next, clock);
      },
    };
    this.#opened = openBullQueue(backend, this.#settings);
    const { bull } = this.#opened;
    this.#bull = bull;
    this.#client = listenTo(bull, (error) => onFault(clientFault('queue', error)));
    const patience = {
      late: () => queueFault(backend, undefined),
      name: (thrown: unknown) => this.#named(thrown),
    };
    this.#queue = inPatience(bull, patience);
    const range = inPatience<SchedulerRange>(bull.getBackend(), patience);
    // On PostgreSQL one statement makes many.
    const madeAtOnce = 'redis' in backend ? AT_ONCE : SCHEDULERS_AT_ONCE;
    const bounds = { atOnce: AT_ONCE, madeAtOnce };
    this.#scheduling = { queue: this.#queue, backend: range, sweepInterval, clock, known, ...bounds };
  }

  // Waits once for all verbs: a sweep calls them for every policy. The clients notice by themselves
  // what is lost later.
  async reach(): Promise<void> {
    if (this.#isReached && this.#opened.isLost()) throw queueFault(this.#backend, this.#client.latest());
    this.#ready ??= untilReady(this.#client, (error) => queueFault(this.#backend, error)).then(
      () => {
        this.#isReached = true;
      },
      (error) => {
        this.#ready = undefined;
        throw this.#named(error);
      },
    );
    await this.#ready;
  }

  #named(thrown: unknown): unknown {
    return isServerFault(this.#backend, thrown) ? queueFault(this.#backend, thrown) : thrown;
  }

  async enqueue({ id, policy }: QueuedRotation): Promise<void> {
    await this.reach();
    await this.#queue.add('rotate', { rotation: id, policy }, { ...JOB, jobId: id });
  }

  async deliver(sink: string): Promise<void> {
    await this.reach();
    const jobId = `deliver-${sink}`;
    const job = await this.#queue.getJob(jobId);
    if (job) await this.#hurry(job);
    else await this.#queue.add('deliver', { sink }, { ...JOB, jobId });
  }

  async hurry(rotation: QueuedRotation): Promise<void> {
    await this.reach();
    const job = await this.#queue.getJob(rotation.id);
    if (!job) return this.enqueue(rotation);
    await this.#hurry(job);
  }

  async #hurry(job: Job<JobData, void, string>): Promise<void> {
    if (await job.isDelayed()) await job.promote().catch(() => {});
    // Otherwise it is running, or about to. A wrong clock may keep BullMQ from seeing that its
    // worker died; then it is put back.
    else if (isStray(job.processedOn)) await job.moveToDelayed(Date.now(), ANY_LOCK).catch(() => {});
  }

  async keepSweeping(): Promise<boolean> {
    await this.reach();
    return keepSweeping(this.#scheduling);
  }

  async schedule(due: ReadonlyMap<string, number>): Promise<void> {
    await this.reach();
    await scheduleSlots(this.#scheduling, due);
  }

  async adjust(due: ReadonlyMap<string, number | undefined>): Promise<void> {
    await this.reach();
    await adjustSlots(this.#scheduling, due);
  }

  async restore(due: ReadonlyMap<string, number>): Promise<void> {
    await this.reach();
    await restoreSlots(this.#scheduling, due);
  }

  async schedulers(): Promise<number> {
    await this.reach();
    return this.#queue.getJobSchedulersCount();
  }

  async reschedule(policy: string): Promise<void> {
    await this.reach();
    await rescheduleSlot(this.#scheduling, policy);
  }

  async prune(): Promise<void> {
    await this.reach();
    for (const state of ['completed', 'failed'] as const) {
      await this.#queue.clean(FINISHED_KEPT_MS, FINISHED_PER_STEP, state);
    }
  }

  async workers(): Promise<number> {
    await this.reach();
    const own = `:w:${workerName(this.#backend)}`;
    return (await this.#queue.getWorkers()).filter(({ rawname }) => rawname?.endsWith(own)).length;
  }

  async work(handlers: JobHandlers): Promise<QueueWorker> {
    const { bull: worker, end } = openBullWorker(this.#backend, dispatch(handlers), this.#settings);
    const client = listenTo(worker, (error) => this.#onFault(clientFault('worker', error)));
    worker.on('failed', (job, error) => {
      const cause = error instanceof ForeignJob ? error.fact : factOf(error);
      this.#onFault(fact('job-failed', { job: String(job?.name), cause }), knownData(job?.data));
    });
    await untilReady(client, (error) => queueFault(this.#backend, error)).catch(async (error) => {
      await worker.close(true);
      end();
      throw error;
    });
    return {
      keepRoomFor: (deliveries) => {
        worker.concurrency = ROTATIONS_AT_ONCE + deliveries;
      },
      close: async () => {
        if (await this.#answers()) await worker.close();
        // With force it leaves what is under way. Without a server it would wait for its farewell
        // for ever.
        else void worker.close(true).catch(() => {});
        end();
      },
    };
  }

  /** Asked once, at the end: worker and queue are closed one after the other. */
  #answers(): Promise<boolean> {
    this.#answering ??= stillAnswers(this.#bull);
    return this.#answering;
  }

  async close(): Promise<void> {
    // A queue that was never reached has no farewell to send, and closes at once.
    if (!this.#isReached || (await this.#answers())) await this.#bull.close();
    else void this.#bull.disconnect().catch(() => {});
    this.#opened.end();
  }
}

/**
 * Whether nobody seems to run a job any more that was taken at this instant. Running it twice does
 * no harm.
 */
function isStray(takenAt: number | undefined): boolean {
  return takenAt !== undefined && Math.abs(takenAt - Date.now()) > STRAY_MS;
}
