import { DateTime } from 'luxon';
import type { Policy, Schedule } from '../../config/policy.ts';
import { formatDuration } from '../../config/values/duration.ts';
import type { Timing } from '../../ledger/timing.ts';
import { type Counting, countingOf } from '../../rotation/due-rotation.ts';
import type { SlotDescription } from '../../schedule/describe-slot.ts';
import { describePause } from './describe-requester.ts';

/**
 * A policy's schedule in one line: its rule, from when it is counted, and what holds it back.
 * `first` is its next slot.
 */
export function headline(policy: Policy, timing: Timing, first: SlotDescription | undefined): string {
  const { schedule, autoRotate } = policy;
  if (!schedule) return 'no schedule, it rotates only when asked';
  const parts = [ruleOf(schedule)];
  const counted = countedFrom(policy, timing);
  if (counted) parts.push(`counted from ${dayOf(schedule, counted.at)}, ${REASONS[counted.since]}`);
  if (schedule.window !== undefined)
    parts.push(`starts within ${formatDuration(schedule.window)} or not at all`);
  if (first && first.jitter > 0) parts.push(`jitter moves it by ${Math.round(first.jitter / 1000)} s`);
  if (!autoRotate) parts.push('autoRotate is false, it rotates only when asked');
  const { pausedAt } = timing;
  if (pausedAt) parts.push(`paused since ${pausedAt.toISOString()} by ${describePause(timing)}`);
  return parts.join('; ');
}

/** From when the slots of a policy are counted, as `--json` prints it. */
export interface CountedFrom {
  readonly at: string;
  /** `not-seen`: no worker has had the policy yet, so its slots are as if one did now. */
  readonly since: Counting['since'] | 'not-seen';
}

const REASONS: Readonly<Record<CountedFrom['since'], string>> = {
  slot: 'its last slot',
  rotation: 'its last rotation',
  'first-seen': 'when a worker first saw it',
  'not-seen': 'as if a worker first saw it now',
  epoch: 'until it has rotated',
};

/** From when days and intervals are counted; undefined for a cron, and without a schedule. */
export function countedFrom(policy: Policy, timing: Timing): CountedFrom | undefined {
  if (!policy.schedule || policy.schedule.kind === 'cron') return undefined;
  const { since, at } = countingOf(policy, timing);
  return {
    at: new Date(at).toISOString(),
    since: since === 'first-seen' && !timing.isSeen ? 'not-seen' : since,
  };
}

/** Days are counted from a date of the policy's zone, intervals from an instant. */
function dayOf({ kind, timezone }: Schedule, instant: string): string {
  return kind === 'days' ? (DateTime.fromISO(instant, { zone: timezone }).toISODate() ?? instant) : instant;
}

function ruleOf(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return `cron ${schedule.cron} in ${schedule.timezone}`;
    case 'interval':
      return `every ${formatDuration(schedule.interval)}`;
    case 'days': {
      const { days, at, timezone } = schedule;
      const time = [at.hour, at.minute].map((part) => String(part).padStart(2, '0')).join(':');
      return `every ${days === 1 ? 'day' : `${days} days`} at ${time} in ${timezone}`;
    }
  }
}

/** What is unusual about a slot; empty if nothing is. */
export function noteOf(schedule: Schedule, { clockChange, isRepeated }: SlotDescription): string {
  if (clockChange !== 0) {
    return `the clock jumps over the time due that day, so it is ${formatDuration(Math.abs(clockChange))} later`;
  }
  if (isRepeated) return 'the clock shows this time twice that day, it is the first';
  return schedule.window === undefined ? '' : `or within ${formatDuration(schedule.window)}`;
}
