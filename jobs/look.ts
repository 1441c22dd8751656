import pMap from 'p-map';
import type { Logger } from 'pino';
import type { Policy, Schedule } from '../src/config/policy.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf, isFault } from '../src/facts/fault.ts';
import { type DuePolicy, LONGEST_REST_MS, type SettledPolicy } from '../src/ledger/due-policies.ts';
import { futureFact } from '../src/ledger/future.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Timing } from '../src/ledger/timing.ts';
import { logFact } from '../src/messages/log-fact.ts';
import { type Outlook, outlookOf, overdueSlot, requestDueRotation } from '../src/rotation/due-rotation.ts';
import { jitterOffset } from '../src/schedule/jitter-offset.ts';
import { scheduleFingerprint } from '../src/schedule/schedule-fingerprint.ts';

/** A store that answers slowly holds up a few policies, not all of them. */
const PARALLEL = { concurrency: 16 };
/** How many policies one statement is about. */
export const BULK = 1_000;

export interface LookParts {
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly now: () => number;
  readonly isUnpublished: (policy: Policy) => Promise<boolean>;
  /** Whether this machine's clock is too wrong to decide anything by it. */
  readonly isClockWrong?: () => boolean;
}

/** A policy that rotates by itself. */
export type ScheduledPolicy = Policy & { readonly schedule: Schedule };

export function isScheduled(policy: Policy | undefined): policy is ScheduledPolicy {
  return policy?.schedule !== undefined && policy.autoRotate;
}

/** The fingerprint under which a policy stands in the ledger's index of what is due. */
export function fingerprintOf({ schedule }: ScheduledPolicy): string {
  return scheduleFingerprint(schedule);
}

/** When policies that were looked at are due next; undefined: only when asked. */
export type Slots = ReadonlyMap<string, number | undefined>;

/**
 * Looks at the policies that are due, and opens the rotations that are. A policy of which anything
 * stays to be done stays due. A fault of one policy does not stop the others.
 */
export function lookAtDue(parts: LookParts): (policies: ReadonlyMap<string, Policy>) => Promise<Slots> {
  const { ledger } = parts;
  const warnOfFuture = futureWarner(parts.log);
  return async (policies) => {
    const slots = new Map<string, number | undefined>();
    const { looks, abandoned } = sorted(await ledger.due(), policies);
    for (const some of inBulk(looks)) {
      const names = some.map(({ policy }) => policy.name);
      await ledger.see(names);
      const timings = await ledger.timings(names);
      const settle = async ({ policy, entry }: Look): Promise<SettledPolicy[]> => {
        const timing = timings.get(policy.name);
        if (!timing) return [];
        warnOfFuture(policy.name, timing.futureAt);
        await tellOverdue(parts, policy, timing);
        const isSettled = await requestDue(parts, policy, timing);
        const now = parts.now();
        const outlook = outlookOf(policy, timing, now);
        slots.set(policy.name, outlook.slot);
        return isSettled && outlook.restsUntil > now ? [settledPolicy(entry, outlook, now)] : [];
      };
      const settled = (await pMap(some, settle, PARALLEL)).flat();
      if (settled.length > 0 && !parts.isClockWrong?.()) await ledger.settleDue(settled);
    }
    if (abandoned.length > 0) await ledger.forgetDue(abandoned);
    return slots;
  };
}

/** A policy to look at, and its entry in the index. */
interface Look {
  readonly policy: ScheduledPolicy;
  readonly entry: DuePolicy;
}

/**
 * Splits what is due into what this configuration has, and what no worker can have any more. What
 * is left may be due by the configuration of another worker.
 */
function sorted(due: readonly DuePolicy[], policies: ReadonlyMap<string, Policy>) {
  const looks: Look[] = [];
  const abandoned: DuePolicy[] = [];
  for (const entry of due) {
    const policy = policies.get(entry.policy);
    if (isScheduled(policy) && fingerprintOf(policy) === entry.schedule) looks.push({ policy, entry });
    else if (entry.isAbandoned) abandoned.push(entry);
  }
  return { looks, abandoned };
}

export function inBulk<Item>(items: readonly Item[]): readonly Item[][] {
  const count = Math.ceil(items.length / BULK);
  return Array.from({ length: count }, (_, index) => items.slice(index * BULK, (index + 1) * BULK));
}

/** Somebody looks before the longest rest is over, at each policy at another time. */
function settledPolicy(entry: DuePolicy, { slot, restsUntil }: Outlook, now: number): SettledPolicy {
  const rest = LONGEST_REST_MS / 2 + jitterOffset(entry.policy, LONGEST_REST_MS / 2);
  return {
    ...entry,
    dueAt: new Date(Math.min(restsUntil, now + rest)),
    slot: slot === undefined ? null : new Date(slot),
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

/** Tells of a slot that nobody acted on, although a worker sweeps every minute. */
async function tellOverdue({ ledger, now }: LookParts, policy: Policy, timing: Timing): Promise<void> {
  const slot = overdueSlot(policy, timing, now());
  if (slot !== undefined) await ledger.outbox.overdue(policy.name, new Date(slot));
}

/**
 * Opens a policy's rotation if one is due. Returns whether nothing is left to do. A fault is
 * logged, and the policy is looked at again.
 */
async function requestDue(
  { ledger, log, now, isUnpublished }: LookParts,
  policy: Policy,
  timing: Timing,
): Promise<boolean> {
  try {
    const opened = await requestDueRotation(policy, timing, {
      ledger,
      now: now(),
      isUnpublished: () => isUnpublished(policy),
    });
    return opened === undefined;
  } catch (error) {
    // It was reported when the clock was measured.
    if (!isFault(error, 'clock-wrong'))
      logFact(log, 'error', fact('due-unknown', { cause: factOf(error) }), { policy: policy.name });
    return false;
  }
}
