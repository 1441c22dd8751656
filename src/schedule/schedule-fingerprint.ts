import { createHash } from 'node:crypto';
import type { Schedule } from '../config/policy.ts';

/**
 * To be raised when the same schedule gets other slots, so that what was computed before is
 * computed anew.
 */
const VERSION = 1;

/**
 * A short text that differs for schedules that differ, and where the rules of time zones do. Equal
 * schedules have the same in every process.
 */
export function scheduleFingerprint(schedule: Schedule): string {
  const fields = Object.entries(schedule).sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify([VERSION, process.versions.tz, fields]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
