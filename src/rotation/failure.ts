import { factOf } from '../facts/fault.ts';
import { isTransientCode } from '../facts/transient.ts';
import { isForbidden } from '../postgres/connection/database-error.ts';

/**
 * Whether trying again later can help without anyone doing something. Unknown faults are given the
 * chance.
 */
export function isTransient(error: unknown): boolean {
  // What PostgreSQL said of a statement, as pg throws it.
  if (isForbidden(error)) return false;
  return isTransientCode(factOf(error).code);
}

/**
 * Milliseconds until the next try after so many failures in a row: doubling from 1 s to 60 s, ±20
 * %.
 */
export function backoff(failures: number, random: () => number = Math.random): number {
  const base = Math.min(60_000, 1_000 * 2 ** Math.min(failures - 1, 10));
  return Math.round(base * (0.8 + 0.4 * random()));
}
