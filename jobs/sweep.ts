import type { Logger } from 'pino';
import type { Policy } from '../src/config/policy.ts';
import { eachOf } from '../src/each-of.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf, isFault } from '../src/facts/fault.ts';
import { futureFact, isFuture } from '../src/ledger/future.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { nextDue, requestDueRotation } from '../src/rotation/due-rotation.ts';

/** A store that answers slowly holds up a few policies, not all of them. */
const PARALLEL = { parallel: 16 };

export interface SweepParts {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly log: Logger;
  readonly now: () => number;
  /** Those that are configured now. */
  readonly policies: () => Iterable<Policy>;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
  /**
   * Whether this machine's clock is too wrong to open a rotation, or to say when the queue is to
   * run one.
   */
  readonly isClockWrong?: () => boolean;
}

/**
 * Puts right what differs from the configuration and the ledger: a job or a scheduler that the
 * queue has lost, one of a policy that was edited, paused or removed, a slot that nobody acted on.
 * A fault of one policy does not stop the others.
 */
export function sweepJob({ ledger, queue, log, now, policies, isUnpublished, isClockWrong }: SweepParts) {
  const told = new Map<string, number>();
  /** Once for each instant: it stays in the ledger until that time. */
  function tellFuture(policy: string, at: Date | null | undefined): void {
    if (!at || told.get(policy) === at.getTime()) return;
    told.set(policy, at.getTime());
    logFact(log, 'warn', futureFact(at), { policy });
  }
  return async (): Promise<void> => {
    const scheduled = [...policies()].filter(({ schedule, autoRotate }) => schedule && autoRotate);
    const names = scheduled.map(({ name }) => name);
    await ledger.see(names);
    const timings = await ledger.timings(names);
    const rotations: Rotation[] = await ledger.open();
    const due = new Map<string, number>();
    const sweepPolicy = async (policy: Policy) => {
      const timing = timings.get(policy.name);
      if (!timing) return;
      tellFuture(policy.name, timing.futureAt);
      try {
        const opened = await requestDueRotation(policy, timing, {
          ledger,
          now: now(),
          isUnpublished: () => isUnpublished(policy),
        });
        if (opened) rotations.push(opened);
      } catch (error) {
        // It was reported when the clock was measured.
        if (!isFault(error, 'clock-wrong'))
          logFact(log, 'error', fact('due-unknown', { cause: factOf(error) }), { policy: policy.name });
      }
      const next = nextDue(policy, timing, now());
      if (next !== undefined) due.set(policy.name, next);
    };
    await eachOf(scheduled, sweepPolicy, PARALLEL);
    const graces = new Map(
      [...policies()].map((each) => [each.name, each.type === 'logins' ? each.drain.grace : 0]),
    );
    const keep = (rotation: Rotation) => {
      const grace = graces.get(rotation.policy);
      const isLate = grace !== undefined && mayBeLate(rotation, grace, now());
      return isLate ? queue.hurry(rotation) : queue.enqueue(rotation);
    };
    await eachOf(rotations, keep, PARALLEL);
    if (!isClockWrong?.()) await queue.schedule(due);
  };
}

/** No wait but a grace is longer than this. */
const LONGEST_WAIT_MS = 2 * 60_000;

/**
 * Whether its job may be delayed for longer than it asked for, which is so when it was put off by a
 * worker whose clock was wrong. Looking once more a minute at one that is not costs little.
 */
function mayBeLate({ requestedAt, publishedAt }: Rotation, grace: number, now: number): boolean {
  if (isFuture(requestedAt, now) || isFuture(publishedAt, now)) return true;
  return (
    now > (publishedAt === null ? requestedAt.getTime() : publishedAt.getTime() + grace) + LONGEST_WAIT_MS
  );
}
