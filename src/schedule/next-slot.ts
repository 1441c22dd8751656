import type { Schedule } from '../config/policy.ts';
import { nextCronSlot } from './cron-slot.ts';
import { nextDaySlot, originOf } from './day-slot.ts';
import { jitterOffset } from './jitter-offset.ts';

/**
 * What a policy's slots depend on, apart from its schedule. Instants are milliseconds since the
 * epoch.
 */
export interface SlotContext {
  /** The policy's name, which determines its jitter. */
  readonly policy: string;
  /**
   * Where days and intervals are counted from: the slot that was due last, the instant of a manual
   * rotation after it, or when the policy was first seen. Left out, they are counted from the epoch
   * (1970-01-01 in the policy's zone, a Thursday). It has no effect on a cron.
   */
  readonly anchor?: number;
  /** The last slot that was acted on. No slot up to it is given again, whatever the clock says. */
  readonly lastSlot?: number;
}

/**
 * The first slot of a schedule strictly after `after`, with its jitter; undefined if there is none.
 * Equal arguments give equal slots. The time it takes does not depend on how long ago the anchor
 * is.
 */
export function nextSlot(
  schedule: Schedule,
  options: SlotContext & { readonly after: number },
): number | undefined {
  const jitter = jitterOffset(options.policy, schedule.jitter);
  const after = Math.max(options.after, options.lastSlot ?? options.after);
  switch (schedule.kind) {
    case 'cron':
      return delayed(nextCronSlot(schedule.cron, schedule.timezone, after - jitter), jitter);
    case 'days': {
      const origin = options.anchor === undefined ? 0 : originOf(schedule, options.anchor, jitter);
      return delayed(nextDaySlot(schedule, after - jitter, origin), jitter);
    }
    case 'interval':
      // An anchor that is a slot includes its jitter. Added again, it would make each interval
      // longer.
      return nextIntervalSlot(schedule.interval, after, options.anchor ?? jitter);
  }
}

/** The first `count` slots of a schedule strictly after `after`; fewer if it ends before. */
export function nextSlots(
  schedule: Schedule,
  options: SlotContext & { readonly after: number },
  count: number,
): number[] {
  const slots: number[] = [];
  let after = options.after;
  while (slots.length < count) {
    const slot = nextSlot(schedule, { ...options, after });
    if (slot === undefined) break;
    slots.push(slot);
    after = slot;
  }
  return slots;
}

function nextIntervalSlot(interval: number, after: number, origin: number): number {
  const elapsed = Math.floor((after - origin) / interval);
  return origin + Math.max(1, elapsed + 1) * interval;
}

function delayed(slot: number | undefined, jitter: number): number | undefined {
  return slot === undefined ? undefined : slot + jitter;
}
