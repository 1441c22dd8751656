import type { Policy } from '../src/config/policy.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Position } from '../src/ledger/retention/prune-rotations.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { inBulk } from './look.ts';

/** How long nobody looks for what is old, once nothing is left; milliseconds. */
const REST_MS = 3_600_000;

export interface PruneParts {
  readonly ledger: Ledger;
  readonly queue: Pick<RotationQueue, 'prune'>;
  readonly now: () => number;
  /** How long the ledger keeps what is over, in milliseconds; null or left out: for ever. */
  readonly keep?: () => number | null;
  /** Registers the sinks of this worker, unless that was lately. */
  readonly keepSinks?: () => Promise<void>;
}

/**
 * Removes what is old from the ledger and the queue: a bounded step in each sweep until nothing is
 * left, and then one each hour. Before, it records which policies are configured, so that none of
 * them is forgotten.
 */
export function pruner({
  ledger,
  queue,
  now,
  keep,
  keepSinks,
}: PruneParts): (policies: ReadonlyMap<string, Policy>) => Promise<void> {
  let seen: ReadonlyMap<string, Policy> | undefined;
  let position: Position | undefined;
  let restsSince: number | undefined;
  return async (policies) => {
    const rests = restsSince !== undefined && Math.abs(now() - restsSince) < REST_MS;
    if (rests && policies === seen) return;
    if (!position || policies !== seen) {
      for (const some of inBulk([...policies.keys()])) await ledger.retention.see(some);
      await ledger.retention.seeOthers();
      seen = policies;
      await queue.prune();
      // After a suspension nobody may have registered them yet.
      await keepSinks?.();
      await ledger.outbox.forgetSinks();
    }
    const kept = keep?.() ?? null;
    const pruned = kept === null ? undefined : await ledger.retention.prune(kept, position);
    position = pruned?.position;
    restsSince = pruned?.isDone === false ? undefined : now();
  };
}
