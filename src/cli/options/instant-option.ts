import { InvalidArgumentError } from 'commander';
import { DateTime } from 'luxon';

/** Parses an option that is an ISO 8601 instant to milliseconds since the epoch. Without an offset it is in UTC. */
export function instant(text: string): number {
  const parsed = DateTime.fromISO(text, { zone: 'UTC' });
  if (!parsed.isValid) {
    throw new InvalidArgumentError('an ISO 8601 instant such as 2027-03-28T02:30+01:00, or a date');
  }
  return parsed.toMillis();
}
