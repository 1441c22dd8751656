import pMap from 'p-map';
import type { Logger } from 'pino';
import type { Policy } from '../src/config/policy.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf, isFault } from '../src/facts/fault.ts';
import { futureFact, isFuture } from '../src/ledger/future.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import type { Timing } from '../src/ledger/timing.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { nextDue, requestDueRotation } from '../src/rotation/due-rotation.ts';

/** A store that answers slowly holds up a few policies, not all of them. */
const PARALLEL = { concurrency: 16 };

export interface SweepParts {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly log: Logger;
  readonly now: () => number;
  /** The configured policies. */
  readonly policies: () => Iterable<Policy>;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
  /** Whether this machine's clock is too wrong to open a rotation or to set a time in the queue. */
  readonly isClockWrong?: () => boolean;
}

/**
 * Corrects what differs from the configuration and the ledger: jobs and schedulers that the queue
 * has lost, schedulers of policies that were edited, paused or removed, and slots that nobody acted
 * on. A fault of one policy does not stop the others.
 */
export function sweepJob(parts: SweepParts): () => Promise<void> {
  const { ledger, queue, policies, isClockWrong } = parts;
  const warnOfFuture = futureWarner(parts.log);
  return async () => {
    const scheduled = [...policies()].filter(({ schedule, autoRotate }) => schedule && autoRotate);
    const names = scheduled.map(({ name }) => name);
    await ledger.see(names);
    const timings = await ledger.timings(names);
    const rotations: Rotation[] = await ledger.open();
    const due = new Map<string, number>();
    const sweepPolicy = async (policy: Policy) => {
      const timing = timings.get(policy.name);
      if (!timing) return;
      warnOfFuture(policy.name, timing.futureAt);
      const opened = await requestDue(parts, policy, timing);
      if (opened) rotations.push(opened);
      const next = nextDue(policy, timing, parts.now());
      if (next !== undefined) due.set(policy.name, next);
    };
    await pMap(scheduled, sweepPolicy, PARALLEL);
    await keepJobs(parts, rotations);
    if (!isClockWrong?.()) await queue.schedule(due);
  };
}

/**
 * Warns of an instant in the future once, although it stays in the ledger until that time comes.
 */
function futureWarner(log: Logger): (policy: string, at: Date | null | undefined) => void {
  const told = new Map<string, number>();
  return (policy, at) => {
    if (!at || told.get(policy) === at.getTime()) return;
    told.set(policy, at.getTime());
    logFact(log, 'warn', futureFact(at), { policy });
  };
}

/** Opens a policy's rotation if one is due. A fault is logged. */
async function requestDue(
  { ledger, log, now, isUnpublished }: SweepParts,
  policy: Policy,
  timing: Timing,
): Promise<Rotation | undefined> {
  try {
    return await requestDueRotation(policy, timing, {
      ledger,
      now: now(),
      isUnpublished: () => isUnpublished(policy),
    });
  } catch (error) {
    // It was reported when the clock was measured.
    if (!isFault(error, 'clock-wrong'))
      logFact(log, 'error', fact('due-unknown', { cause: factOf(error) }), { policy: policy.name });
    return undefined;
  }
}

/** Gives each open rotation a job again if the queue has lost it, and hurries one that is late. */
async function keepJobs({ queue, now, policies }: SweepParts, rotations: readonly Rotation[]): Promise<void> {
  const graces = new Map(
    [...policies()].map((each) => [each.name, each.type === 'logins' ? each.drain.grace : 0]),
  );
  await pMap(
    rotations,
    (rotation) => {
      const grace = graces.get(rotation.policy);
      const isLate = grace !== undefined && mayBeLate(rotation, grace, now());
      return isLate ? queue.hurry(rotation) : queue.enqueue(rotation);
    },
    PARALLEL,
  );
}

/** Longer than any wait except a grace: a retry waits 72 s at most. */
const LONGEST_WAIT_MS = 75_000;

/**
 * Whether a rotation's job may be delayed for longer than it asked for, as happens when a worker
 * whose clock was wrong delayed it. To run a job once a minute too often costs little.
 */
function mayBeLate({ requestedAt, publishedAt }: Rotation, grace: number, now: number): boolean {
  if (isFuture(requestedAt, now) || isFuture(publishedAt, now)) return true;
  const due = publishedAt === null ? requestedAt.getTime() : publishedAt.getTime() + grace;
  return now > due + LONGEST_WAIT_MS;
}
