import { DatabaseError } from './database-error.ts';

/**
 * Why PostgreSQL did not let a login in: its password, NOLOGIN, or no line of pg_hba.conf; undefined where it is another
 * fault. By what the server says besides the text, which may be in any language.
 * https://www.postgresql.org/docs/current/protocol-error-fields.html: `routine` is where in its source it gave up.
 */
export function refusedAs(error: unknown): 'password' | 'nologin' | 'entry' | undefined {
  if (!(error instanceof DatabaseError && error.kind === 'authentication')) return undefined;
  if (error.cause instanceof DatabaseError) return refusedAs(error.cause);
  const { code, routine } = (error.cause ?? {}) as { code?: unknown; routine?: unknown };
  // An empty one the client does not even send.
  if (code === '28P01' || code === undefined) return 'password';
  return routine === 'InitializeSessionUserId' ? 'nologin' : 'entry';
}

/** Whether a login was refused for its own CONNECTION LIMIT, and not that of the server or the database. */
export function isLimitOfRole(error: DatabaseError): boolean {
  const { code, routine } = (error.cause ?? {}) as { code?: unknown; routine?: unknown };
  return code === '53300' && routine === 'InitializeSessionUserId';
}
