import type { Policy } from '../src/config/policy.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { RotationQueue } from '../src/queue/rotation-queue.ts';
import { fingerprintOf, isScheduled, type Slots } from './look.ts';

/** How often all schedulers are compared, in milliseconds. */
const COMPARE_INTERVAL_MS = 3_600_000;

/**
 * If a worker that starts has to make more schedulers than this, it makes only those whose slots
 * come soon before it is ready. Until the others are there, the sweep runs what is due.
 */
const AT_ONCE = 1_000;
const SOON_MS = 300_000;

interface SlotParts {
  readonly ledger: Ledger;
  readonly queue: RotationQueue;
  readonly now: () => number;
}

/**
 * Keeps the queue's schedulers of slots. Those of the policies that were looked at are corrected.
 * All are compared when the configuration is new, and every hour. Where their number is not what it
 * was, those that are missing are restored.
 */
export function keepSlots({
  ledger,
  queue,
  now,
}: SlotParts): (policies: ReadonlyMap<string, Policy>, looked: Slots) => Promise<void> {
  let compared: { readonly policies: ReadonlyMap<string, Policy>; readonly at: number } | undefined;
  let count: number | undefined;
  let rest: Promise<void> | undefined;

  async function compare(policies: ReadonlyMap<string, Policy>, looked: Slots): Promise<void> {
    const slots = await slotsOf(ledger, policies, looked);
    const isFirst = compared === undefined;
    const all = async () => {
      await queue.schedule(slots);
      count = await queue.schedulers();
      compared = { policies, at: now() };
    };
    if (!isFirst || slots.size <= AT_ONCE) return all();
    compared = { policies, at: now() };
    await queue.adjust(new Map([...slots].filter(([, slot]) => slot < now() + SOON_MS)));
    rest = all()
      .catch(() => {
        // The next sweep compares them again.
        compared = undefined;
      })
      .finally(() => {
        rest = undefined;
      });
  }

  return async (policies, looked) => {
    const isDue = compared === undefined || Math.abs(now() - compared.at) >= COMPARE_INTERVAL_MS;
    if (isDue || compared?.policies !== policies) return compare(policies, looked);
    if (looked.size > 0) await queue.adjust(looked);
    if (rest !== undefined || (await queue.schedulers()) === count) return;
    // Only what is missing: what else is there may be of a worker with another configuration.
    await queue.restore(await slotsOf(ledger, policies, looked));
    count = await queue.schedulers();
  };
}

/** The next slot of each policy, as the ledger has them, and as they were found out just now. */
async function slotsOf(
  ledger: Ledger,
  policies: ReadonlyMap<string, Policy>,
  looked: Slots,
): Promise<ReadonlyMap<string, number>> {
  const slots = new Map<string, number>();
  for (const { policy: name, schedule, slot } of await ledger.slots()) {
    const policy = policies.get(name);
    if (isScheduled(policy) && fingerprintOf(policy) === schedule) slots.set(name, slot.getTime());
  }
  for (const [name, slot] of looked) {
    if (slot === undefined) slots.delete(name);
    else slots.set(name, slot);
  }
  return slots;
}
