import { ErrorCode, type Queue } from 'bullmq';
import type { Clock } from '../clock.ts';
import type { JobData } from './job.ts';
import { FOREVER } from './queue-backend.ts';

const SWEEP = 'sweep';
/** After so many intervals without a sweep each worker sweeps by itself. */
const LATE_SWEEPS = 5;
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

/** What BullMQ's backends tell of many schedulers in one request: key, instant, key, instant, … */
export interface SchedulerRange {
  getJobSchedulersRange(start: number, end: number, ascending: boolean): Promise<string[]>;
}

/** BullMQ's queue, and what its schedulers go by. */
export interface Scheduling {
  readonly queue: Queue<JobData, void, string>;
  readonly backend: SchedulerRange;
  readonly sweepInterval: number;
  readonly clock: Clock | undefined;
  /** How many requests are under way at once, where each policy needs one. */
  readonly atOnce: number;
  /** How many schedulers are made at once. */
  readonly madeAtOnce: number;
  /** Policies whose scheduler is being made, and the instants that BullMQ is told when it asks. */
  readonly known: Map<string, number>;
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

const THERE_ALREADY: readonly unknown[] = [
  ErrorCode.SchedulerJobIdCollision,
  ErrorCode.SchedulerJobSlotsBusy,
];

export async function untilThere(upsert: () => Promise<unknown>): Promise<void> {
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
export async function untilNotDeadlocked<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK_DETECTED) throw error;
    }
  }
}
