const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

const UNITS: Readonly<Record<string, number>> = { w: WEEK, d: DAY, h: HOUR, m: MINUTE, s: SECOND };

/** A whole number and one unit. A date of JavaScript can hold six digits of weeks: 19,000 years. */
export const DURATION = /^(0|[1-9]\d{0,5})[smhdw]$/;

/** A duration such as `90s`, `5m` or `2w` in milliseconds; undefined if it is not one. */
export function parseDuration(text: string): number | undefined {
  const unit = UNITS[text.slice(-1)];
  if (unit === undefined || !DURATION.test(text)) return undefined;
  return Number(text.slice(0, -1)) * unit;
}

/** Milliseconds that are whole seconds, in the largest unit that divides them: `90s`, `2w`. */
export function formatDuration(milliseconds: number): string {
  const [name, unit] =
    Object.entries(UNITS).find(([, length]) => milliseconds > 0 && milliseconds % length === 0) ??
    (['s', SECOND] as const);
  return `${milliseconds / unit}${name}`;
}
