import { isFault } from '../../facts/fault.ts';

/**
 * Why a server did not let a login in: its password, NOLOGIN, or no line of pg_hba.conf. Undefined
 * for every other fault.
 */
export function refusedAs(error: unknown): 'password' | 'nologin' | 'entry' | undefined {
  if (isFault(error, 'login-refused')) return error.fact.params.because;
  // An empty password is not even sent.
  if (isFault(error, 'password-missing')) return 'password';
  // PgBouncer does not say why.
  return isFault(error, 'pgbouncer-login-refused') ? 'entry' : undefined;
}

/**
 * Whether a login was refused for its own CONNECTION LIMIT, and not that of the server or the
 * database.
 */
export function isLimitOfRole(error: unknown): boolean {
  return isFault(error, 'login-connection-limit-reached');
}
