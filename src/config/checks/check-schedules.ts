import type { Path } from '../config-error.ts';
import type { Draft } from '../schema/draft.ts';
import type { PolicyEntry, ScheduleEntry } from '../schema/policy-schema.ts';
import { formatDuration } from '../values/duration.ts';
import { countsDays, scheduleOf, shortestInterval } from '../values/schedule-of.ts';
import { find, isInterpolated } from '../yaml/located.ts';

/** Checks that the times of each policy fit each other. */
export function checkSchedules(draft: Draft): void {
  for (const [name, policy] of draft.policies) {
    const path = ['policies', name];
    const { schedule } = policy;
    const drain = policy.type === 'rotator' ? undefined : policy.drain;
    if (drain !== undefined) checkDrain(draft, [...path, 'drain'], drain);
    if (schedule === undefined) continue;
    checkKind(draft, [...path, 'schedule'], schedule);
    const built = scheduleOf(schedule);
    if (built === undefined) continue;
    const interval = shortestInterval(built);
    const intervalSaid = sayInterval(draft, [...path, 'schedule'], interval);
    for (const [at, duration] of [
      [[...path, 'schedule', 'window'], schedule.window],
      [[...path, 'schedule', 'jitter'], schedule.jitter],
      [[...path, 'drain', 'grace'], drain?.grace],
    ] as const) {
      if (duration === undefined || duration <= interval) continue;
      draft.report(at, `${said(draft, at, duration)} is longer than ${intervalSaid}; must be no longer`);
    }
  }
}

function checkDrain(draft: Draft, path: Path, { grace, timeout }: PolicyEntry['drain']): void {
  if (grace <= timeout) return;
  const [graceSaid, timeoutSaid] = [
    said(draft, [...path, 'grace'], grace),
    said(draft, [...path, 'timeout'], timeout),
  ];
  draft.report(
    [...path, 'grace'],
    `${graceSaid} is longer than timeout, ${timeoutSaid}; must be no longer, as both begin at publish`,
  );
}

function checkKind(draft: Draft, path: Path, { every, at, cron }: ScheduleEntry): void {
  if (every !== undefined && cron !== undefined) {
    draft.report([...path, 'cron'], 'excludes every; must be one of the two');
  } else if (every === undefined && cron === undefined) {
    draft.report([...path, 'every'], 'is missing; must be there, such as every: 30d, or cron instead');
  }
  if (at === undefined) return;
  if (cron !== undefined) {
    draft.report([...path, 'at'], 'has no use with cron, which names its times; leave it out');
  } else if (every !== undefined && !countsDays(every)) {
    draft.report(
      [...path, 'at'],
      `has no use with an interval of ${draft.quote([...path, 'every'])}; leave it out, or set every to days or weeks such as 1d`,
    );
  }
}

/** Names the interval, unless it comes from a variable, whose value is not for messages. */
function sayInterval(draft: Draft, path: Path, interval: number): string {
  const isFilledIn = ['every', 'cron'].some((key) => isInterpolated(draft.tree, [...path, key]));
  return `the time between two slots${isFilledIn ? '' : ` (${formatDuration(interval)})`}`;
}

/** A duration as it was written, or as the default that stands for it. */
function said(draft: Draft, path: Path, milliseconds: number): string {
  if (find(draft.tree, path) !== undefined) return draft.quote(path);
  return `the default of ${formatDuration(milliseconds)}`;
}
