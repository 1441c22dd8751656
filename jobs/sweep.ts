import type { Logger } from 'pino';
import { eachOf } from '../src/each-of.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import type { Policy } from '../src/policy/policy.ts';
import type { RotationQueue } from '../src/queue/queue.ts';
import { nextDue, requestDueRotation } from '../src/rotation/due-rotation.ts';

/** A store that answers slowly holds up a few policies, not all that come after it. */
const PARALLEL = { parallel: 16 };

export interface SweepParts {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly log: Logger;
  readonly now: () => number;
  /** Those that are configured now. */
  readonly policies: () => Iterable<Policy>;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
}

/**
 * Puts right what differs from the configuration and the ledger: a job or a scheduler that the queue has lost, one of
 * a policy that was edited, paused or removed, a slot that nobody acted on. One policy's fault does not keep the others.
 */
export function sweepJob({ ledger, queue, log, now, policies, isUnpublished }: SweepParts) {
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
      try {
        const opened = await requestDueRotation(policy, timing, {
          ledger,
          now: now(),
          isUnpublished: () => isUnpublished(policy),
        });
        if (opened) rotations.push(opened);
      } catch (error) {
        log.error({ policy: policy.name }, `cannot tell whether it is due: ${(error as Error).message}`);
      }
      const next = nextDue(policy, timing, now());
      if (next !== undefined) due.set(policy.name, next);
    };
    await eachOf(scheduled, sweepPolicy, PARALLEL);
    await eachOf(rotations, (rotation) => queue.enqueue(rotation), PARALLEL);
    await queue.schedule(due);
  };
}
