/** A longer timer of Node.js fires at once: https://nodejs.org/api/timers.html */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Calls back after so many milliseconds, or after 24 days if that is sooner; never for Infinity. It
 * does not keep the process alive.
 */
export function startTimer(milliseconds: number, callback: () => void): NodeJS.Timeout | undefined {
  if (milliseconds === Number.POSITIVE_INFINITY) return undefined;
  return setTimeout(callback, Math.min(milliseconds, LONGEST_MS)).unref();
}
