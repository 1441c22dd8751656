import { DateTime } from 'luxon';
import type { Schedule } from '../config/policy.ts';
import { matchesCron } from './cron-slot.ts';
import { millisecondsOfDay } from './day-slot.ts';
import { jitterOffset } from './jitter-offset.ts';
import { changeInDayBefore, DAY, instantsOf, wallTimeAt } from './local-time.ts';

/** A slot, and why it is at that time. */
export interface SlotDescription {
  /** ISO 8601 in the policy's zone, with its offset from UTC. */
  readonly iso: string;
  /** The policy's jitter in milliseconds, included in `iso`. */
  readonly jitter: number;
  /**
   * Milliseconds that a jump of the clock added, because the due time does not exist that day. They
   * are included in `iso`.
   */
  readonly clockChange: number;
  /** Whether the clock shows the due time twice that day. The slot is the first of the two. */
  readonly isRepeated: boolean;
}

/** Describes a slot that `nextSlot` gave for this schedule and policy. */
export function describeSlot(schedule: Schedule, policy: string, slot: number): SlotDescription {
  const iso = DateTime.fromMillis(slot, { zone: schedule.timezone }).toISO();
  if (iso === null) {
    throw new RangeError(
      `Slot ${slot} of policy ${policy} is no instant in time zone "${schedule.timezone}"`,
    );
  }
  const jitter = jitterOffset(policy, schedule.jitter);
  const due = slot - jitter;
  return { iso, jitter, clockChange: movedByClock(schedule, due), isRepeated: isRepeated(schedule, due) };
}

function isRepeated({ kind, timezone }: Schedule, slot: number): boolean {
  return kind !== 'interval' && instantsOf(wallTimeAt(slot, timezone), timezone).length > 1;
}

function movedByClock(schedule: Schedule, slot: number): number {
  if (schedule.kind === 'interval') return 0;
  const wall = wallTimeAt(slot, schedule.timezone);
  const asWritten =
    schedule.kind === 'cron'
      ? matchesCron(schedule.cron, wall)
      : wall % DAY === millisecondsOfDay(schedule.at);
  if (asWritten) return 0;
  const change = changeInDayBefore(slot, schedule.timezone);
  return change === undefined ? 0 : change.after - change.before;
}
