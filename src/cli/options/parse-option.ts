import { DateTime } from 'luxon';
import { formatDuration, parseDuration } from '../../config/values/duration.ts';
import { fault } from '../../facts/fault.ts';

const LEAST = 1;
const MOST = 10_000;

/** A timer of Node.js waits 2^31 ms at most, and fires at once if it is to wait for longer. */
const LONGEST_MS = 24 * 24 * 3_600_000;

/** How many characters a reason may have: it is read in a line of a table. */
const LONGEST_REASON = 500;

/** Parses the value of an option. Throws a fault that says what the option takes. */
type Parse<Value = number> = (given: string) => Value;

/** Of an option that is a count: a whole number from 1 to 10,000. */
export function count(option: string): Parse {
  return (given) => {
    const number = Number(given);
    if (Number.isInteger(number) && number >= LEAST && number <= MOST) return number;
    throw fault('option-not-a-count', { option, given, least: LEAST, most: MOST });
  };
}

/** Of an option such as `10m`, 24 days at most: milliseconds. */
export function duration(option: string): Parse {
  return (given) => {
    const milliseconds = parseDuration(given);
    if (milliseconds === undefined) throw fault('option-not-a-duration', { option, given });
    if (milliseconds > LONGEST_MS) {
      throw fault('option-too-long', { option, given, most: formatDuration(LONGEST_MS) });
    }
    return milliseconds;
  };
}

/**
 * Of an option that is an ISO 8601 instant: milliseconds since the epoch. Without an offset it is
 * read as UTC.
 */
export function instant(option: string): Parse {
  return (given) => {
    const parsed = DateTime.fromISO(given, { zone: 'UTC' });
    if (!parsed.isValid) throw fault('option-not-an-instant', { option, given });
    return parsed.toMillis();
  };
}

/** An instant, or how long ago; milliseconds. */
export type Since = { readonly at: number } | { readonly ago: number };

/** Of an option that says since when: a duration such as `30d`, or an ISO 8601 instant or date. */
export function since(option: string): Parse<Since> {
  return (given) => {
    const ago = parseDuration(given);
    if (ago !== undefined) return { ago };
    const parsed = DateTime.fromISO(given, { zone: 'UTC' });
    if (!parsed.isValid) throw fault('option-not-since', { option, given });
    return { at: parsed.toMillis() };
  };
}

/** The instant of `--since`. Throws `option-in-future`. */
export function instantOf(since: Since, now: number): Date {
  const at = 'at' in since ? since.at : now - since.ago;
  if (at <= now) return new Date(Math.max(at, 0));
  const given = new Date(at).toISOString();
  throw fault('option-in-future', { option: '--since', given, now: new Date(now).toISOString() });
}

/** Of an option that is a reason: a text that is not blank. It is kept as it is given. */
export function reason(option: string): Parse<string> {
  return (given) => {
    const length = [...given].length;
    if (length <= LONGEST_REASON && given.trim() !== '') return given;
    throw fault('option-not-a-reason', { option, length, most: LONGEST_REASON });
  };
}
