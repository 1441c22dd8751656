import pMap from 'p-map';
import type { Policy } from '../src/config/policy.ts';
import { isFuture } from '../src/ledger/future.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { BULK, fingerprintOf, inBulk, isScheduled, type LookParts, lookAtDue } from './look.ts';
import { type PruneParts, pruner } from './prune.ts';
import { keepSlots } from './slots.ts';

const PARALLEL = { concurrency: 16 };

export interface SweepParts extends LookParts, Pick<PruneParts, 'keep' | 'keepSinks'> {
  readonly queue: RotationQueue;
  /** The configured policies. After an edit it is another map. */
  readonly policies: () => ReadonlyMap<string, Policy>;
}

/**
 * Corrects what differs from the configuration and the ledger: jobs and schedulers that the queue
 * has lost, schedulers of policies that were edited, paused or removed, and slots that nobody acted
 * on. Removes what is old. It costs what is due and what has changed: all policies are gone through
 * only when the configuration is new, and otherwise a few in each sweep.
 */
export function sweepJob(parts: SweepParts): () => Promise<void> {
  const { ledger, policies, isClockWrong } = parts;
  const keepDue = dueKeeper(parts);
  const look = lookAtDue(parts);
  const schedule = keepSlots(parts);
  const prune = pruner(parts);
  return async () => {
    const configured = policies();
    await keepDue(configured);
    const slots = await look(configured);
    await keepJobs(parts, await ledger.open(), configured);
    if (isClockWrong?.()) return;
    await schedule(configured, slots);
    await prune(configured);
  };
}

/**
 * Keeps the policies in the ledger's index of what is due: all when the configuration is new, and
 * then a thousand in each sweep, in case that somebody removed them from there.
 */
function dueKeeper({ ledger }: SweepParts): (policies: ReadonlyMap<string, Policy>) => Promise<void> {
  let kept: ReadonlyMap<string, Policy> | undefined;
  let names: readonly string[] = [];
  let next = 0;
  return async (policies) => {
    const fingerprints = (some: readonly string[]) =>
      new Map(
        some.flatMap((name) => {
          const policy = policies.get(name);
          return isScheduled(policy) ? [[name, fingerprintOf(policy)] as const] : [];
        }),
      );
    if (policies !== kept) {
      const scheduled = [...policies.values()].filter(isScheduled).map(({ name }) => name);
      for (const some of inBulk(scheduled)) await ledger.keepDue(fingerprints(some));
      [kept, names, next] = [policies, scheduled, 0];
    } else if (names.length > 0) {
      await ledger.keepDue(fingerprints(names.slice(next, next + BULK)));
      next = next + BULK < names.length ? next + BULK : 0;
    }
  };
}

/** Gives each open rotation a job again if the queue has lost it, and hurries one that is late. */
async function keepJobs(
  { queue, now }: SweepParts,
  rotations: readonly Rotation[],
  policies: ReadonlyMap<string, Policy>,
): Promise<void> {
  await pMap(
    rotations,
    (rotation) => {
      const policy = policies.get(rotation.policy);
      const grace = policy?.type === 'logins' ? policy.drain.grace : 0;
      const isLate = policy !== undefined && mayBeLate(rotation, grace, now());
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
