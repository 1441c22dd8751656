import { DateTime } from 'luxon';
import type { Schedule, TimeOfDay } from '../../src/config/policy.ts';
import { nextSlots } from '../../src/schedule/next-slot.ts';

type Limits = Partial<Pick<Schedule, 'window' | 'jitter' | 'missed'>>;

export const policy = 'orders-api';
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A schedule every `days` days at a time such as `02:30`. */
export function everyDays(days: number, at: string, timezone = 'UTC', limits: Limits = {}): Schedule {
  return { kind: 'days', days, at: timeOfDay(at), timezone, missed: 'run', ...limits };
}

export function everyInterval(interval: number, limits: Limits = {}): Schedule {
  return { kind: 'interval', interval, timezone: 'UTC', missed: 'run', ...limits };
}

export function cron(expression: string, timezone = 'UTC', limits: Limits = {}): Schedule {
  return { kind: 'cron', cron: expression, timezone, missed: 'run', ...limits };
}

/** Milliseconds since the epoch of an ISO 8601 instant. */
export function at(iso: string): number {
  const instant = Date.parse(iso);
  if (Number.isNaN(instant)) throw new RangeError(`"${iso}" is no ISO 8601 instant`);
  return instant;
}

/** The first slots after an instant, as the policy's zone writes them, to the minute. */
export function localSlots(schedule: Schedule, after: string, count: number, anchor?: string): string[] {
  const context = anchor === undefined ? { policy } : { policy, anchor: at(anchor) };
  return nextSlots(schedule, { ...context, after: at(after) }, count).map((slot) =>
    DateTime.fromMillis(slot, { zone: schedule.timezone }).toFormat("yyyy-MM-dd'T'HH:mmZZ"),
  );
}

function timeOfDay(text: string): TimeOfDay {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return { hour, minute };
}
