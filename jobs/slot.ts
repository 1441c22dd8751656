import type { Policy } from '../src/config/policy.ts';
import { isFault } from '../src/facts/fault.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { QueueJob } from '../src/queue/job.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { requestDueRotation } from '../src/rotation/due-rotation.ts';

/**
 * Runs when a policy's scheduler has fired: opens the rotation that is due. The ledger decides
 * whether one is due, not the job.
 */
export function slotJob({
  ledger,
  queue,
  now,
  policy: find,
  isUnpublished,
}: {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly now: () => number;
  /** Undefined if the policy is no longer configured. */
  readonly policy: (name: string) => Policy | undefined;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
}) {
  return async (job: QueueJob): Promise<void> => {
    const policy = find(job.data.policy ?? '');
    if (!policy) return;
    const rotation = await requestDueRotation(policy, await ledger.timing(policy.name), {
      ledger,
      now: now(),
      isUnpublished: () => isUnpublished(policy),
    }).catch((error: unknown) => {
      // It was reported when the clock was measured. Another worker with a right clock sweeps.
      if (isFault(error, 'clock-wrong')) return undefined;
      throw error;
    });
    if (rotation) await queue.enqueue(rotation);
  };
}
