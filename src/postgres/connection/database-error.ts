import type { FactCode, FactParams } from '../../facts/fact.ts';
import { Fault, fault, isFault } from '../../facts/fault.ts';
import { strangersMessage } from '../../visible.ts';

/** Codes that need nothing but the place and what was said there. */
type SaidCode = {
  [Code in FactCode]: { place: string; detail: string } extends FactParams[Code] ? Code : never;
}[FactCode];

/** SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CODE_OF_SQLSTATE: Readonly<Record<string, SaidCode>> = {
  '3D000': 'database-missing',
  '42704': 'object-missing',
  '42501': 'privilege-missing',
  '57P01': 'server-unreachable',
  '57P02': 'server-unreachable',
  '57P03': 'server-unreachable',
};

/**
 * Whether PostgreSQL said that a right is missing (insufficient_privilege), which no retry changes.
 */
export function isForbidden(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '42501';
}

/**
 * Codes of Node.js for a handshake or a certificate that fails:
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export const TLS_FAULT = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/;

/** What pg says when it has to prove a password and has none. */
const NO_PASSWORD = /^SASL: .*client password must be/;

/** What pg, Node.js and PostgreSQL tell of a fault. */
interface Thrown {
  readonly code?: unknown;
  /**
   * Where in PostgreSQL's source it gave up:
   * https://www.postgresql.org/docs/current/protocol-error-fields.html
   */
  readonly routine?: unknown;
  readonly message?: string;
}

/** What pg or Node.js threw while talking to `place`, as a fault; a fault as it is. */
export function databaseError(cause: unknown, place: string): Fault {
  if (cause instanceof Fault) return cause;
  const thrown = (cause ?? {}) as Thrown;
  const said = { place, detail: detailOf(cause) };
  if (NO_PASSWORD.test(thrown.message ?? '')) return fault('password-missing', { place }, { cause });
  const because = refusalOf(thrown);
  return because === undefined
    ? fault(codeOf(thrown), said, { cause })
    : fault('login-refused', { ...said, because }, { cause });
}

/** Why a login was not let in; undefined for every other fault. */
function refusalOf({ code, routine, message = '' }: Thrown): 'password' | 'nologin' | 'entry' | undefined {
  if (code === '28P01') return 'password';
  if (code === '28000') return routine === 'InitializeSessionUserId' ? 'nologin' : 'entry';
  // The one code that PgBouncer has for all its own faults. PostgreSQL uses it for none of these.
  const isPgBouncers = /authentication failed|no such user|not allowed|access needed/.test(message);
  return code === '08P01' && isPgBouncers ? 'entry' : undefined;
}

/** By SQLSTATE, by the code of Node.js, and last by the words of pg, which has no codes. */
function codeOf({ code, routine, message = '' }: Thrown): SaidCode {
  if (code === '08P01' && /^unsupported startup parameter/.test(message)) return 'connection-is-pooler';
  if (code === '53300') {
    if (routine === 'InitializeSessionUserId') return 'login-connection-limit-reached';
    return routine === 'CheckMyDatabase' ? 'database-connection-limit-reached' : 'connections-exhausted';
  }
  if (typeof code === 'string') {
    const known = CODE_OF_SQLSTATE[code];
    if (known) return known;
    if (code.startsWith('08')) return 'server-unreachable';
    if (/^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE)/.test(code)) return 'server-unreachable';
    if (TLS_FAULT.test(code)) return 'tls-failed';
  }
  if (/SSL|TLS|certificate/.test(message)) return 'tls-failed';
  if (/timeout|terminated|Connection ended|not queryable/i.test(message)) return 'server-unreachable';
  return 'database-error';
}

/**
 * What was said, in its own words. Node.js reports a name that leads to several dead addresses as
 * an AggregateError with an empty message.
 */
export function detailOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(detailOf).join(', ');
  return strangersMessage(cause instanceof Error ? cause.message : String(cause));
}

/** Whether a server or its PgBouncer could not be reached, or does not answer as one. */
export function isServerAway(error: unknown): boolean {
  return isFault(
    error,
    'server-unreachable',
    'server-answers-with-error',
    'pgbouncer-unreachable',
    'pgbouncer-command-refused',
  );
}

/** Whether the server has no connection left for anybody, whoever asks. */
export function isServerFull(error: unknown): boolean {
  return isFault(error, 'connections-exhausted', 'connections-exhausted-lately');
}
