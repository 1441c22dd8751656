import { isFault } from '../facts/fault.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';

/** Whether somebody else holds the lock of the logins, or the row of one. */
export function isLocked(error: unknown): boolean {
  return isFault(error, 'lock-held', 'lock-lost', 'login-row-locked', 'embedded-lock-held');
}

/** Whether PostgreSQL asked for a password and did not take it, whosever login it was. */
export function isPasswordRefused(error: unknown): boolean {
  return isFault(error, 'password-refused') || refusedAs(error) === 'password';
}

/** Whether PostgreSQL did not let a login in, for its password or another reason. */
export function isRefused(error: unknown): boolean {
  return isFault(error, 'password-refused') || refusedAs(error) !== undefined;
}
