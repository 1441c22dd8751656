import type { Duration } from '../../facts/config/config-policy-facts.ts';
import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import type { PolicyEntry } from '../schema/policy-schema.ts';
import { formatDuration } from '../values/duration.ts';
import { shortestInterval } from '../values/schedule-of.ts';
import { find } from '../yaml/located.ts';

/** Checks that the times of each policy fit each other. */
export function checkSchedules(review: Review, { policies }: Entries): void {
  for (const [name, policy] of policies) {
    const path = ['policies', name];
    const { schedule } = policy;
    const drain = policy.type === 'rotator' ? undefined : policy.drain;
    if (drain !== undefined) checkDrain(review, [...path, 'drain'], drain);
    if (schedule === undefined) continue;
    checkKind(review, [...path, 'schedule'], schedule);
    if (schedule === null) continue;
    const interval = shortestInterval(schedule);
    for (const [at, duration] of [
      [[...path, 'schedule', 'window'], schedule.window],
      [[...path, 'schedule', 'jitter'], schedule.jitter],
      [[...path, 'drain', 'grace'], drain?.grace],
    ] as const) {
      if (duration === undefined || duration <= interval) continue;
      const shown = durationShown(review, at, duration);
      const longerThan = intervalShown(review, [...path, 'schedule'], interval);
      review.report(at, fact('longer-than-interval', { duration: shown, ...longerThan }));
    }
  }
}

function checkDrain(review: Review, path: Path, { grace, timeout }: PolicyEntry['drain']): void {
  if (grace <= timeout) return;
  const shown = {
    grace: durationShown(review, [...path, 'grace'], grace),
    timeout: durationShown(review, [...path, 'timeout'], timeout),
  };
  review.report([...path, 'grace'], fact('grace-longer-than-timeout', shown));
}

function checkKind(review: Review, path: Path, schedule: PolicyEntry['schedule']): void {
  const keys = review.keysAt(path) ?? [];
  const [hasEvery, hasCron] = [keys.includes('every'), keys.includes('cron')];
  if (hasEvery && hasCron) review.report([...path, 'cron'], fact('schedule-ambiguous', {}));
  if (!hasEvery && !hasCron) review.report([...path, 'every'], fact('schedule-empty', {}));
  if (!keys.includes('at')) return;
  if (hasCron) review.report([...path, 'at'], fact('time-of-day-useless', {}));
  else if (schedule?.kind === 'interval') {
    const every = review.shown([...path, 'every']);
    review.report([...path, 'at'], fact('time-of-day-useless', { every }));
  }
}

/** Left out where it comes from a variable, whose value is not for messages. */
function intervalShown(review: Review, path: Path, interval: number): { readonly interval?: string } {
  const isFilledIn = ['every', 'cron'].some((key) => review.isInterpolated([...path, key]));
  return isFilledIn ? {} : { interval: formatDuration(interval) };
}

function durationShown(review: Review, path: Path, milliseconds: number): Duration {
  if (find(review.tree, path) !== undefined) return { kind: 'written', value: review.shown(path) };
  return { kind: 'default', text: formatDuration(milliseconds) };
}
