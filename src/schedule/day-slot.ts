import type { TimeOfDay } from '../config/policy.ts';
import { DAY, instantOf, wallTimeAt } from './local-time.ts';

/** Every `days` days at `at`, in a time zone. Weeks are multiples of seven days. */
export interface DaySeries {
  readonly days: number;
  readonly at: TimeOfDay;
  readonly timezone: string;
}

/** A local date, as days since 1970-01-01. */
export type LocalDate = number;

// Where the clock changes at midnight, a date's slot may fall on the next date, or be over before
// the clock goes back into the date before. So the neighbouring steps are tried as well.
const NEARBY_STEPS = [-1, 0, 1, 2];

/**
 * The first slot of a series strictly after `after`. The first date of the series is one step after
 * `origin`.
 */
export function nextDaySlot(series: DaySeries, after: number, origin: LocalDate): number | undefined {
  const elapsed = Math.floor((localDate(after, series.timezone) - origin) / series.days);
  const counts = new Set(NEARBY_STEPS.map((step) => Math.max(1, elapsed + step)));
  // A slot costs several questions about the zone, and the first or second is mostly the answer.
  for (const count of counts) {
    const slot = slotOn(origin + count * series.days, series);
    if (slot > after) return slot;
  }
  return undefined;
}

/**
 * The local date from which the days to the next slot are counted. `anchor` is a slot with `jitter`
 * milliseconds added, or any other instant, such as that of a manual rotation.
 */
export function originOf(series: DaySeries, anchor: number, jitter: number): LocalDate {
  // A slot that was moved past midnight, by jitter or by a jump of the clock, still counts for the
  // date on which it was due. Otherwise the whole series would move by a day.
  const slot = anchor - jitter;
  const date = localDate(slot, series.timezone);
  return [date, date - 1].find((due) => slotOn(due, series) === slot) ?? localDate(anchor, series.timezone);
}

/** The time of day that a series runs at, in milliseconds from midnight on the wall clock. */
export function millisecondsOfDay(at: TimeOfDay): number {
  return (at.hour * 60 + at.minute) * 60_000;
}

function slotOn(date: LocalDate, series: DaySeries): number {
  return instantOf(date * DAY + millisecondsOfDay(series.at), series.timezone);
}

function localDate(instant: number, timezone: string): LocalDate {
  return Math.floor(wallTimeAt(instant, timezone) / DAY);
}
