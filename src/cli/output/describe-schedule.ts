import type { Policy, Schedule } from '../../config/policy.ts';
import { formatDuration } from '../../config/values/duration.ts';
import type { Timing } from '../../ledger/timing.ts';
import type { SlotDescription } from '../../schedule/describe-slot.ts';

/** A policy's schedule in one line: its rule, and what holds it back. `first` is its next slot. */
export function headline(
  { schedule, autoRotate }: Policy,
  { pausedAt, pausedBy }: Timing,
  first: SlotDescription | undefined,
): string {
  if (!schedule) return 'no schedule, it rotates only when asked';
  const parts = [ruleOf(schedule)];
  if (schedule.window !== undefined)
    parts.push(`starts within ${formatDuration(schedule.window)} or not at all`);
  if (first && first.jitter > 0) parts.push(`jitter moves it by ${Math.round(first.jitter / 1000)} s`);
  if (!autoRotate) parts.push('autoRotate is false, it rotates only when asked');
  if (pausedAt) parts.push(`paused since ${pausedAt.toISOString()} by ${pausedBy}`);
  return parts.join('; ');
}

function ruleOf(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return `cron ${schedule.cron} in ${schedule.timezone}`;
    case 'interval':
      return `every ${formatDuration(schedule.interval)}`;
    case 'days': {
      const { days, at, timezone } = schedule;
      const time = [at.hour, at.minute].map((part) => String(part).padStart(2, '0')).join(':');
      return `every ${days === 1 ? 'day' : `${days} days`} at ${time} in ${timezone}`;
    }
  }
}

/** What is unusual about a slot; empty if nothing is. */
export function noteOf(schedule: Schedule, { clockChange, isRepeated }: SlotDescription): string {
  if (clockChange !== 0) {
    return `the clock jumps over the time due that day, so it is ${formatDuration(Math.abs(clockChange))} later`;
  }
  if (isRepeated) return 'the clock shows this time twice that day, it is the first';
  return schedule.window === undefined ? '' : `or within ${formatDuration(schedule.window)}`;
}
