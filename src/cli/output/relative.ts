import { DateTime } from 'luxon';

/**
 * `in 3 days`, `2 hours ago`: an ISO 8601 instant as seen at `now`, milliseconds since the epoch.
 */
export function relative(iso: string, now: number): string {
  return DateTime.fromISO(iso).toRelative({ base: DateTime.fromMillis(now), locale: 'en' }) ?? '';
}
