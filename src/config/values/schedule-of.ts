import type { Schedule, TimeOfDay } from '../policy.ts';
import type { ScheduleEntry } from '../schema/policy-schema.ts';
import { shortestGap } from './cron.ts';
import { parseDuration } from './duration.ts';

const DAY = 86_400_000;

/** The schedule that an entry with either `every` or `cron` means; null with both or neither. */
export function scheduleOf(entry: ScheduleEntry): Schedule | null {
  const { every, at, cron, ...common } = entry;
  if (cron !== undefined) return every === undefined ? { ...common, kind: 'cron', cron } : null;
  const interval = every === undefined ? undefined : parseDuration(every);
  if (every === undefined || interval === undefined) return null;
  if (!countsDays(every)) return { ...common, kind: 'interval', interval };
  return { ...common, kind: 'days', days: interval / DAY, at: timeOfDay(at ?? '00:00') };
}

/** Whether an interval of days or weeks, which has a time of day: `1d` has one, `24h` has not. */
export function countsDays(every: string): boolean {
  return /[dw]$/.test(every);
}

/** The shortest time between two slots of a schedule, in milliseconds; a day counts as 24 hours. */
export function shortestInterval(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'days':
      return schedule.days * DAY;
    case 'interval':
      return schedule.interval;
    case 'cron':
      return shortestGap(schedule.cron);
  }
}

function timeOfDay(at: string): TimeOfDay {
  return { hour: Number(at.slice(0, 2)), minute: Number(at.slice(3)) };
}
