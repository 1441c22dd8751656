import { Cron } from 'croner';
import { changeInDayBefore, instantOf, type WallTime, wallTimeAt } from './local-time.ts';

// croner only finds the wall times that match, in UTC, where each exists exactly once. Left to the
// policy's zone it would run 02:30 at 03:00 when the clock jumps, drop it from `30 2,14 * * *`, and
// run `*/30` twice in an hour that repeats: other rules than those of an interval in days.
const WALL_CLOCK = { timezone: 'UTC', mode: '5-or-6-parts' } as const;

/**
 * The first instant strictly after `after` that a cron expression of five fields, or six with
 * seconds, names in a time zone; undefined if there is none (`0 0 31 2 *`). Wall times that do not
 * exist or exist twice run as `instantOf` says, and wall times that meet at one instant run once.
 * Throws what croner throws for an expression it cannot read.
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
 * The wall times after which the next slot must lie; more than one where wall times and instants
 * change order.
 */
function searchStarts(after: number, timezone: string): WallTime[] {
  const wall = wallTimeAt(after, timezone);
  const change = changeInDayBefore(after, timezone);
  if (change === undefined) return [wall];
  const setBack = change.after < change.before;
  // The hour that repeats has had its slots the first time; go on where the clock was when it was
  // set back.
  if (setBack) return [Math.max(wall, change.at + change.before - 1)];
  // Times that the clock jumped over are still to come: they run when the old reading of the clock
  // reaches them.
  return [wall, after + change.before];
}

/**
 * The first match after `start` and, if the clock jumps over that one, also the first match after
 * the jump.
 */
function firstMatches(pattern: Cron, timezone: string, start: WallTime): WallTime[] {
  const first = nextMatch(pattern, start);
  if (first === undefined) return [];
  const instant = instantOf(first, timezone);
  const exists = wallTimeAt(instant, timezone) === first;
  const jump = exists ? undefined : changeInDayBefore(instant, timezone);
  if (jump === undefined) return [first];
  // 02:30 runs at 03:30, after a 03:00 that matches too.
  const afterJump = nextMatch(pattern, jump.at + jump.after - 1);
  return afterJump === undefined ? [first] : [first, afterJump];
}

function nextMatch(pattern: Cron, after: WallTime): WallTime | undefined {
  return pattern.nextRun(new Date(after))?.getTime();
}
