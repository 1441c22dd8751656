import { ErrorCode, type Queue } from 'bullmq';
import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import type { JobData } from './job.ts';
import { FOREVER } from './queue-backend.ts';
import { toQueueTime } from './queue-time.ts';

const SWEEP = 'sweep';
const SLOT_PREFIX = 'slot-';
/** After so many intervals without a sweep each worker sweeps by itself. */
const LATE_SWEEPS = 5;
/** How long a scheduler may stand at a slot that has come, before it counts as stuck. */
const JUST_COME_MS = 30_000;
/**
 * Two clocks never agree to the millisecond; and a slot that is looked at too early waits for the
 * sweep.
 */
const CLOCK_MARGIN_MS = 50;
const CLOCK_TOLERANCE_MS = 1_000;
/** Requests under way at once, where each policy needs one. */
const PARALLEL = { concurrency: 16 };

/**
 * The ledger keeps the history, so the queue keeps nothing. What fails is tried again until it is
 * settled in the ledger.
 */
export const JOB = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: FOREVER,
  backoff: { type: 'fixed', delay: 5_000 },
} as const;

/** BullMQ's queue, and what its schedulers go by. */
export interface Scheduling {
  readonly queue: Queue<JobData, void, string>;
  readonly sweepInterval: number;
  readonly clock: Clock | undefined;
}

/** The instant at which BullMQ has to run a slot, by the machine's clock. */
export function slotTime(instant: number, clock: Clock | undefined): number {
  return toQueueTime(instant, clock) + (clock ? CLOCK_MARGIN_MS : 0);
}

/** Makes the sweep's scheduler run. Returns whether it did already. */
export async function keepSweeping({ queue, sweepInterval }: Scheduling): Promise<boolean> {
  const next = (await queue.getJobScheduler(SWEEP))?.next;
  // One that is a little late is about to run. One that is very late is held by a worker that died,
  // or by a wrong clock.
  const late = next === undefined ? undefined : Date.now() - next;
  if (late !== undefined && late > -2 * sweepInterval && late < LATE_SWEEPS * sweepInterval) return true;
  if (next !== undefined) await untilNotDeadlocked(() => queue.removeJobScheduler(SWEEP));
  await untilThere(() =>
    queue.upsertJobScheduler(SWEEP, { every: sweepInterval }, { name: 'sweep', opts: JOB }),
  );
  return false;
}

/** Makes the schedulers of slots those of the policies in `due`, each at its instant. */
export async function scheduleSlots(scheduling: Scheduling, due: ReadonlyMap<string, number>): Promise<void> {
  const { queue, clock } = scheduling;
  const present = new Map<string, number>();
  for (const { key, next = 0 } of await queue.getJobSchedulers()) {
    if (key.startsWith(SLOT_PREFIX)) present.set(key.slice(SLOT_PREFIX.length), next);
  }
  const now = Date.now();
  const tolerance = clock ? CLOCK_TOLERANCE_MS : 0;
  const isRight = (next: number | undefined, wanted: number) =>
    next !== undefined &&
    // A slot that has just come is being acted on; BullMQ asks for the next one when its job
    // begins.
    (Math.abs(next - wanted) <= tolerance || (next <= now && now - next < JUST_COME_MS));
  const wrong = [...due].filter(
    ([policy, instant]) => !isRight(present.get(policy), slotTime(instant, clock)),
  );
  const gone = [...present.keys()].filter((policy) => !due.has(policy));
  await pMap(wrong, ([policy]) => rescheduleSlot(scheduling, policy), PARALLEL);
  await pMap(
    gone,
    (policy) => untilNotDeadlocked(() => queue.removeJobScheduler(SLOT_PREFIX + policy)),
    PARALLEL,
  );
}

/** Has BullMQ ask anew when a policy is due; its `pattern` carries the policy's name. */
export async function rescheduleSlot({ queue }: Scheduling, policy: string): Promise<void> {
  const job = { name: 'slot', data: { policy }, opts: JOB };
  await untilThere(() => queue.upsertJobScheduler(SLOT_PREFIX + policy, { pattern: policy }, job));
}

const THERE_ALREADY: readonly unknown[] = [
  ErrorCode.SchedulerJobIdCollision,
  ErrorCode.SchedulerJobSlotsBusy,
];

async function untilThere(upsert: () => Promise<unknown>): Promise<void> {
  try {
    await untilNotDeadlocked(upsert);
  } catch (error) {
    // Another worker made the same job at the same time, or is running it: either way it is there.
    if (!THERE_ALREADY.includes((error as { code?: unknown }).code)) throw error;
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const DEADLOCK_DETECTED = '40P01';

/**
 * Tries again as long as PostgreSQL breaks a deadlock by refusing this side of it. BullMQ's
 * functions there lock several rows each, so two workers that make the same scheduler can meet. A
 * refused call leaves nothing behind, and one of those that meet always gets through, so this ends.
 */
async function untilNotDeadlocked<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK_DETECTED) throw error;
    }
  }
}
