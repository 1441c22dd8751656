import { Cron } from 'croner';
import { changeInDayBefore, instantOf, type WallTime, wallTimeAt } from './local-time.ts';

// croner only finds the wall times that match, in UTC, where each exists exactly once. In the
// policy's zone croner has rules of its own: it runs 02:30 at 03:00 when the clock jumps, drops
// 02:30 from `30 2,14 * * *`, and runs `*/30` twice in an hour that repeats. Schedules in days
// follow other rules, and a cron must follow the same.
const WALL_CLOCK = { timezone: 'UTC', mode: '5-or-6-parts' } as const;

/**
 * The first instant strictly after `after` that a cron expression names in a time zone; undefined
 * if there is none (`0 0 31 2 *`). The expression has five fields, or six with seconds. A wall time
 * that does not exist or exists twice runs as `instantOf` says. Wall times that fall on one instant
 * run once. Throws what croner throws for an expression that it cannot read.
 */
export function nextCronSlot(cron: string, timezone: string, after: number): number | undefined {
  const pattern = new Cron(cron, WALL_CLOCK);
  const candidates = searchStarts(after, timezone)
    .flatMap((start) => firstMatches(pattern, timezone, start))
    .map((wall) => instantOf(wall, timezone))
    .filter((instant) => instant > after);
  return candidates.length === 0 ? undefined : Math.min(...candidates);
}

/** Whether a cron expression names this wall time. */
export function matchesCron(cron: string, wall: WallTime): boolean {
  return new Cron(cron, WALL_CLOCK).match(new Date(wall));
}

/**
 * The wall times from which to search for the next slot. It is more than one where the clock jumps,
 * because wall times and instants have a different order there.
 */
function searchStarts(after: number, timezone: string): WallTime[] {
  const wall = wallTimeAt(after, timezone);
  const change = changeInDayBefore(after, timezone);
  if (change === undefined) return [wall];
  const setBack = change.after < change.before;
  // The repeated hour had its slots the first time. Continue where the clock was when it was set
  // back.
  if (setBack) return [Math.max(wall, change.at + change.before - 1)];
  // Times that the clock jumped over are still to come: they run when a clock that had not been
  // changed would show them.
  return [wall, after + change.before];
}

/**
 * The first match after `start`. If the clock jumps over it, also the first match after the jump.
 */
function firstMatches(pattern: Cron, timezone: string, start: WallTime): WallTime[] {
  const first = nextMatch(pattern, start);
  if (first === undefined) return [];
  const instant = instantOf(first, timezone);
  const exists = wallTimeAt(instant, timezone) === first;
  const jump = exists ? undefined : changeInDayBefore(instant, timezone);
  if (jump === undefined) return [first];
  // 02:30 runs at 03:30, so a match at 03:00 comes before it.
  const afterJump = nextMatch(pattern, jump.at + jump.after - 1);
  return afterJump === undefined ? [first] : [first, afterJump];
}

function nextMatch(pattern: Cron, after: WallTime): WallTime | undefined {
  return pattern.nextRun(new Date(after))?.getTime();
}
