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
