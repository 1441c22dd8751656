import { DatabaseError } from '../postgres/database-error.ts';

/**
 * PostgreSQL asked for the password of a login of ours and did not take it. Nobody else's may be meant: the rotator's
 * own is refused with a plain DatabaseError.
 */
export class PasswordRefused extends DatabaseError {
  constructor(login: string, cause: DatabaseError) {
    super(
      'authentication',
      `PostgreSQL refuses the password that ${login} should have: ${cause.message}; see what else alters this login or its secret`,
      { cause },
    );
  }
}

/** SQLSTATE invalid_password: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const INVALID_PASSWORD = '28P01';

/** What `connect` threw, as a PasswordRefused where it is the password that is refused, and not the login or the host. */
export function passwordRefused(error: unknown, login: string): unknown {
  // PostgreSQL has the same code for a right password that came with the wrong client certificate.
  if (!(error instanceof DatabaseError) || error.kind !== 'authentication') return error;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return code === INVALID_PASSWORD ? new PasswordRefused(login, error) : error;
}
