import { pathToFileURL } from 'node:url';

const PRELOAD = pathToFileURL(`${import.meta.dirname}/shifted-clock.mjs`).href;

/** The environment of a Node.js process whose wall clock is so many milliseconds ahead; behind where it is negative. */
export function shiftedClock(milliseconds: number): Record<string, string> {
  return { NODE_OPTIONS: `--import=${PRELOAD}`, KEYTURN_TEST_CLOCK_SHIFT: String(milliseconds) };
}
