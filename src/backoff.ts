/**
 * Milliseconds until the next try after so many failures in a row: doubling from 1 s to `longest`,
 * ±20 %.
 */
export function backoff(failures: number, longest: number): number {
  const base = Math.min(longest, 1_000 * 2 ** Math.min(failures - 1, 30));
  return Math.round(base * (0.8 + 0.4 * Math.random()));
}
