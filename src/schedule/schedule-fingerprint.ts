import { createHash } from 'node:crypto';
import type { Schedule } from '../config/policy.ts';

/**
 * To be raised when the same schedule gets other slots, so that what was computed before is
 * computed anew.
 */
const VERSION = 2;

/**
 * A short text that differs for schedules that differ, and where the rules of time zones do. Equal
 * schedules have the same in every process.
 */
export function scheduleFingerprint(schedule: Schedule): string {
  const fields = Object.entries(schedule).sort(([one], [other]) => (one < other ? -1 : 1));
  const text = JSON.stringify([VERSION, process.versions.tz, fields]);
  const known = fingerprints.get(text);
  if (known !== undefined) return known;
  const made = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  if (fingerprints.size < CACHED) fingerprints.set(text, made);
  return made;
}

/** Cached, because a fleet has few schedules and asks for their fingerprints often. */
const fingerprints = new Map<string, string>();
const CACHED = 1_000;
