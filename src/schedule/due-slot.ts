import type { Schedule } from '../config/policy.ts';
import { nextSlot, type SlotContext } from './next-slot.ts';

/** A slot that is later than this counts as missed. The sweep runs once a minute. */
const PUNCTUAL = 60_000;

/**
 * When a slot's window ends, in milliseconds. From that instant on the slot may not start.
 * Undefined without a window.
 */
export function windowEnd(schedule: Schedule, slot: number): number | undefined {
  return schedule.window === undefined ? undefined : slot + schedule.window;
}

/**
 * The slot that is due at `now`, if any. If several were missed, it is only the latest. A missed
 * slot is due only with `missed: run`, and no slot is due outside its window. A policy with neither
 * `anchor` nor `lastSlot` has missed nothing: it may be a minute old.
 */
export function dueSlot(
  schedule: Schedule,
  options: SlotContext & { readonly now: number },
): number | undefined {
  const { now, ...context } = options;
  const slot = latestSlot(schedule, context, now);
  if (slot === undefined) return undefined;
  const end = windowEnd(schedule, slot);
  if (end !== undefined && now >= end) return undefined;
  const catchesUp = schedule.missed === 'run' && beginning(context) !== undefined;
  return catchesUp || now - slot <= punctuality(schedule, context, slot) ? slot : undefined;
}

/**
 * How late a slot may be before it counts as missed, in milliseconds: a minute, or a tenth of the
 * time to the next slot if that is shorter, but at least a second. Without this, a policy with
 * frequent slots would always have one that is less than a minute old.
 */
function punctuality(schedule: Schedule, context: SlotContext, slot: number): number {
  const next = nextSlot(schedule, { ...context, after: slot }) ?? Number.POSITIVE_INFINITY;
  return Math.min(PUNCTUAL, Math.max(1_000, (next - slot) / 10));
}

/**
 * The last slot up to and including `now`. It bisects, so that years without a worker cost no more
 * time than a minute.
 */
function latestSlot(schedule: Schedule, context: SlotContext, now: number): number | undefined {
  const slotAfter = (after: number) => nextSlot(schedule, { ...context, after }) ?? Number.POSITIVE_INFINITY;
  let latest = slotAfter(beginning(context) ?? now - PUNCTUAL - 1);
  if (latest > now) return undefined;
  let later = now;
  for (let next = slotAfter(latest); next <= now; next = slotAfter(latest)) {
    latest = next;
    const middle = Math.floor((latest + later) / 2);
    const beyond = slotAfter(middle);
    if (beyond <= now) latest = beyond;
    else later = middle;
  }
  return latest;
}

/**
 * The instant up to which every slot is dealt with. A rotation after a slot makes up for that slot,
 * even a manual one.
 */
function beginning({ anchor, lastSlot }: SlotContext): number | undefined {
  if (anchor === undefined || lastSlot === undefined) return anchor ?? lastSlot;
  return Math.max(anchor, lastSlot);
}
