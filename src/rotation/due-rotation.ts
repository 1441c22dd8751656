import { randomUUID } from 'node:crypto';
import type { Policy, Schedule } from '../config/policy.ts';
import { isFault } from '../facts/fault.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { dueSlot } from '../schedule/due-slot.ts';
import { jitterOffset } from '../schedule/jitter-offset.ts';
import { nextSlot, type SlotContext } from '../schedule/next-slot.ts';

/** How long a slot whose rotation failed is left alone before it gets another, in milliseconds. */
const AFTER_FAILURE_MS = 15 * 60_000;
const OVERDUE_MS = 150_000;

/**
 * Opens the rotation that a policy is due, if it is: for its latest slot, or at once when it has
 * never rotated and nothing is published. Any number of workers may ask at the same time; the
 * ledger lets one of them through.
 */
export async function requestDueRotation(
  policy: Policy,
  timing: Timing,
  { ledger, now, isUnpublished }: { ledger: Ledger; now: number; isUnpublished: () => Promise<boolean> },
): Promise<Rotation | undefined> {
  if (!activeSchedule(policy, timing)) return undefined;
  if (isHeldOff(timing, now)) return undefined;
  const slot = owedSlot(policy, timing, now);
  if (slot === undefined && (timing.rotated || !(await isUnpublished()))) return undefined;
  try {
    return await ledger.request({
      id: randomUUID(),
      policy: policy.name,
      reason: slot === undefined ? 'first' : 'schedule',
      requestedBy: 'schedule',
      // While a sweep goes through many policies, an open rotation may end.
      decidedOn: timing,
      ...(slot === undefined ? {} : { slot: new Date(slot) }),
    });
  } catch (error) {
    // The one that is open serves this slot too.
    if (isFault(error, 'rotation-open-already')) return undefined;
    throw error;
  }
}

/** Whether a rotation failed just now, and none has worked since. */
function isHeldOff(timing: Timing, now: number): boolean {
  return now < (heldOffUntil(timing) ?? now);
}

/** Until when a slot whose rotation failed is left alone, in milliseconds since the epoch. */
function heldOffUntil({ lastFailedAt, lastAskedAt }: Timing): number | undefined {
  if (!lastFailedAt || (lastAskedAt && lastAskedAt > lastFailedAt)) return undefined;
  return lastFailedAt.getTime() + AFTER_FAILURE_MS;
}

/**
 * When a policy rotates next by itself, in milliseconds since the epoch: its next slot, or, where
 * the last rotation failed, when that is tried again. Undefined: only when asked.
 */
export function nextTry(
  policy: Policy,
  timing: Timing,
  { now, unpublished }: { readonly now: number; readonly unpublished: boolean },
): number | undefined {
  const held = heldOffUntil(timing) ?? now;
  if (held <= now || !activeSchedule(policy, timing)) return nextDue(policy, timing, now);
  const isFirst = !timing.rotated && unpublished;
  return isFirst || owedSlot(policy, timing, held) !== undefined ? held : nextDue(policy, timing, held);
}

/**
 * When a policy is due next after an instant, in milliseconds since the epoch; undefined: only when
 * asked.
 */
export function nextDue(policy: Policy, timing: Timing, after: number): number | undefined {
  const schedule = activeSchedule(policy, timing);
  return schedule && nextSlot(schedule, { ...slotContext(policy, timing), after });
}

/** What comes next for a policy, in milliseconds since the epoch. */
export interface Outlook {
  /** Its next slot; undefined: it rotates only when asked. */
  readonly slot: number | undefined;
  /**
   * Until when nothing becomes due by itself: the next slot, or when a rotation that failed is
   * tried again. It is now while a slot is owed, and infinite where it rotates only when asked.
   */
  readonly restsUntil: number;
}

export function outlookOf(policy: Policy, timing: Timing, now: number): Outlook {
  const slot = nextDue(policy, timing, now);
  const next = slot ?? Number.POSITIVE_INFINITY;
  const held = heldOffUntil(timing) ?? now;
  if (held > now) return { slot, restsUntil: Math.min(next, held) };
  return { slot, restsUntil: owedSlot(policy, timing, now) === undefined ? next : now };
}

/** The slot that has come and has no rotation yet, in milliseconds since the epoch. */
export function owedSlot(policy: Policy, timing: Timing, now: number): number | undefined {
  const schedule = activeSchedule(policy, timing);
  return schedule && dueSlot(schedule, { ...slotContext(policy, timing), now });
}

/** Whether a slot has come that no worker acted on, though one sweeps every minute. */
export function isOverdue(policy: Policy, timing: Timing, now: number): boolean {
  const slot = owedSlot(policy, timing, now);
  return slot !== undefined && now - slot > OVERDUE_MS;
}

/**
 * The slot that no worker acted on in time, in milliseconds since the epoch. One whose rotation
 * failed is not meant: its next try is due, not the slot.
 */
export function overdueSlot(policy: Policy, timing: Timing, now: number): number | undefined {
  if (!isOverdue(policy, timing, now)) return undefined;
  const slot = owedSlot(policy, timing, now);
  const failedAt = timing.lastFailedAt?.getTime();
  return slot !== undefined && failedAt !== undefined && failedAt >= slot ? undefined : slot;
}

/** From where slots are counted. Slots before the policy was first seen are not made up for. */
export function slotContext(policy: Policy, timing: Timing): SlotContext {
  const { firstSeenAt, lastSlot } = timing;
  const { since, at } = countingOf(policy, timing);
  return {
    policy: policy.name,
    lastSlot: lastSlot?.getTime() ?? firstSeenAt.getTime(),
    ...(since === 'epoch' ? {} : { anchor: since === 'slot' ? at : at + shiftOf(policy) }),
  };
}

/** The instant that days and intervals are counted from, in milliseconds since the epoch. */
export interface Counting {
  /**
   * `slot`: the last slot that had its rotation. `rotation`: a rotation that was asked for, or the
   * first. `first-seen`: when a worker first had the policy. `epoch`: 1970-01-01, for a policy that
   * an earlier release saw and that has not rotated since.
   */
  readonly since: 'slot' | 'rotation' | 'first-seen' | 'epoch';
  readonly at: number;
}

/** From where a policy's days and intervals are counted. It has no effect on a cron. */
export function countingOf(policy: Policy, timing: Timing): Counting {
  const slot = timing.lastSlot?.getTime();
  const asked = timing.lastAskedAt?.getTime();
  if (asked !== undefined && (slot === undefined || asked + shiftOf(policy) > slot)) {
    return { since: 'rotation', at: asked };
  }
  if (slot !== undefined) return { since: 'slot', at: slot };
  if (timing.countsFromFirstSeen) return { since: 'first-seen', at: timing.firstSeenAt.getTime() };
  return { since: 'epoch', at: 0 };
}

/**
 * An interval counts from any instant. One that is no slot gets the jitter that a slot has already;
 * else policies that were first seen or rotated together would stay together.
 */
function shiftOf({ name, schedule }: Policy): number {
  return schedule?.kind === 'interval' ? jitterOffset(name, schedule.jitter) : 0;
}

/**
 * The schedule by which a policy rotates by itself; undefined when it does so only when asked, or
 * is paused.
 */
function activeSchedule(policy: Policy, timing: Timing): Schedule | undefined {
  return policy.autoRotate && !timing.pausedAt ? policy.schedule : undefined;
}
