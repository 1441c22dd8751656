import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { refusedAs } from '../../postgres/connection/refused-as.ts';

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

/** What `connect` threw, as a PasswordRefused where it is the password that is refused, and not the login or the host. */
export function passwordRefused(error: unknown, login: string): unknown {
  return error instanceof DatabaseError && refusedAs(error) === 'password'
    ? new PasswordRefused(login, error)
    : error;
}
