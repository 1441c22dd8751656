import { InvalidArgumentError } from 'commander';
import { DateTime } from 'luxon';
import { parseDuration } from '../../config/values/duration.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { tell } from '../../messages/tell.ts';

const LEAST = 1;
const MOST = 10_000;

/** Parses an option that is a count: a whole number from 1 to 10,000. */
export function count(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= LEAST && number <= MOST) return number;
  throw refused(fact('option-not-a-count', { least: LEAST, most: MOST }));
}

/** Parses an option such as `10m` to milliseconds. */
export function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw refused(fact('option-not-a-duration', {}));
  return milliseconds;
}

/**
 * Parses an option that is an ISO 8601 instant to milliseconds since the epoch. Without an offset
 * it is read as UTC.
 */
export function instant(text: string): number {
  const parsed = DateTime.fromISO(text, { zone: 'UTC' });
  if (!parsed.isValid) throw refused(fact('option-not-an-instant', {}));
  return parsed.toMillis();
}

/** Commander adds the option's name, and ends the command as for its own checks. */
function refused(expected: Fact): InvalidArgumentError {
  return new InvalidArgumentError(tell(expected));
}
