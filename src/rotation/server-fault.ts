import { isFault } from '../facts/fault.ts';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';

/** Whether somebody else holds the lock of the logins, or the row of one. */
export function isLocked(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === 'locked';
}

/** Whether a server could not be reached. */
export function isAway(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === 'unreachable';
}

/** Whether PostgreSQL asked for a password and did not take it, whosever login it was. */
export function isPasswordRefused(error: unknown): boolean {
  return isFault(error, 'password-refused') || refusedAs(error) === 'password';
}

/** Whether PostgreSQL did not let a login in, for its password or another reason. */
export function isRefused(error: unknown): boolean {
  return (
    isFault(error, 'password-refused') || (error instanceof DatabaseError && error.kind === 'authentication')
  );
}
