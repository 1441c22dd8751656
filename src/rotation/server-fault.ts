import type { Fact } from '../facts/fact.ts';
import { type Fault, isFault } from '../facts/fault.ts';
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

/** The same, and also where a right on the database is missing. */
export function isKeptOut(error: unknown): boolean {
  return isRefused(error) || isFault(error, 'privilege-missing');
}

/** What PostgreSQL said when it refused a login, rather than what that means to a rotation. */
export function refusalIn(error: Fault): Fact {
  return isFault(error, 'password-refused') ? error.fact.params.cause : error.fact;
}

/**
 * Whether a statement named a role that does not exist. SQLSTATE undefined_object:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function isRoleGone(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === '42704';
}
