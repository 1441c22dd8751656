import { Cron } from 'croner';

// Any fixed instant will do: what is valid today must be valid tomorrow.
const REFERENCE = new Date('2024-01-01T00:00:00Z');

// Enough to see every gap of what people write, and soon over for what fires once a year.
const SLOTS = 50;

/** Whether it is a cron expression of five fields, or of six that begin with seconds. */
export function isCron(expression: string): boolean {
  // croner also takes seven fields, nicknames such as @daily, and single instants.
  if (![5, 6].includes(expression.trim().split(/\s+/).length)) return false;
  try {
    parse(expression);
    return true;
  } catch {
    return false;
  }
}

/** Whether a valid expression ever fires: `0 0 30 2 *` does not. */
export function everFires(expression: string): boolean {
  return parse(expression).nextRun(REFERENCE) !== null;
}

/** The shortest time between two slots of a valid expression, in milliseconds of local time. */
export function shortestGap(expression: string): number {
  const slots = parse(expression).nextRuns(SLOTS, REFERENCE);
  const gaps = slots.slice(1).map((slot, index) => slot.getTime() - (slots[index]?.getTime() ?? 0));
  return Math.min(...gaps);
}

function parse(expression: string): Cron {
  return new Cron(expression, { timezone: 'UTC', mode: '5-or-6-parts', paused: true });
}
