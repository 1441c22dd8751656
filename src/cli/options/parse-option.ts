import { DateTime } from 'luxon';
import { parseDuration } from '../../config/values/duration.ts';
import { fault } from '../../facts/fault.ts';

const LEAST = 1;
const MOST = 10_000;

/** Parses the value of an option. Throws a fault that says what the option takes. */
type Parse = (given: string) => number;

/** Of an option that is a count: a whole number from 1 to 10,000. */
export function count(option: string): Parse {
  return (given) => {
    const number = Number(given);
    if (Number.isInteger(number) && number >= LEAST && number <= MOST) return number;
    throw fault('option-not-a-count', { option, given, least: LEAST, most: MOST });
  };
}

/** Of an option such as `10m`: milliseconds. */
export function duration(option: string): Parse {
  return (given) => {
    const milliseconds = parseDuration(given);
    if (milliseconds === undefined) throw fault('option-not-a-duration', { option, given });
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
