import { IANAZone } from 'luxon';

export const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * What a clock on the wall shows: the local date and time, in milliseconds, as if it were UTC.
 * Whole days are multiples of `DAY`. Arithmetic with it ignores daylight saving.
 */
export type WallTime = number;

/** A change of a zone's clock. `before` and `after` are offsets from UTC in milliseconds. */
export interface ClockChange {
  /** The first instant at which the new offset holds. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/**
 * The offset of an IANA time zone from UTC at an instant, both in milliseconds. Throws a
 * `RangeError` for an unknown zone.
 */
export function offsetAt(instant: number, timezone: string): number {
  if (timezone === 'UTC') return 0;
  const zone = IANAZone.create(timezone);
  if (!zone.isValid) {
    throw new RangeError(
      `Time zone "${timezone}" is not known to this Node.js; use an IANA name such as Europe/Berlin`,
    );
  }
  return zone.offset(instant) * MINUTE;
}

/** What the clock on the wall of a zone shows at an instant. */
export function wallTimeAt(instant: number, timezone: string): WallTime {
  return instant + offsetAt(instant, timezone);
}

/**
 * The instant at which a zone's clock shows `wall`. If the clock shows it twice, it is the first of
 * the two. If the clock jumps over it, it is moved by the length of the jump: 02:30 becomes 03:30.
 */
export function instantOf(wall: WallTime, timezone: string): number {
  return instantsOf(wall, timezone)[0] ?? wall - offsetAt(wall - DAY, timezone);
}

/**
 * Every instant at which a zone's clock shows `wall`, in order. It is none where the clock jumps
 * over `wall`, and two where the clock shows it twice.
 */
export function instantsOf(wall: WallTime, timezone: string): number[] {
  // Read as UTC, a wall time is less than a day from its instant in every zone. So these are the
  // offsets before and after every change of the clock that can affect it.
  const offsets = new Set([offsetAt(wall - DAY, timezone), offsetAt(wall + DAY, timezone)]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((instant) => wallTimeAt(instant, timezone) === wall)
    .sort((a, b) => a - b);
}

/** The change of a zone's clock in the day up to and including an instant, if there was one. */
export function changeInDayBefore(instant: number, timezone: string): ClockChange | undefined {
  const before = offsetAt(instant - DAY, timezone);
  const after = offsetAt(instant, timezone);
  if (before === after) return undefined;
  let earlier = instant - DAY;
  let at = instant;
  while (at - earlier > 1) {
    const middle = Math.floor((earlier + at) / 2);
    if (offsetAt(middle, timezone) === before) earlier = middle;
    else at = middle;
  }
  return { at, before, after };
}
