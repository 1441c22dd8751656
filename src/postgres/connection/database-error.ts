import { type Fact, type FactCode, type FactParams, fact } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import type { Remedy } from '../../facts/remedy.ts';
import { strangersMessage } from '../../visible.ts';

export type DatabaseErrorKind =
  | 'unreachable'
  | 'authentication'
  | 'scram'
  | 'unproven'
  | 'tls'
  | 'pooler'
  | 'missing-database'
  | 'missing-login'
  | 'privilege'
  | 'locked'
  | 'full'
  | 'busy'
  | 'behind'
  | 'read-only'
  | 'other';

/**
 * TODO: remove with `kind`, once everybody asks for codes. A code that is not here is of kind
 * `other`.
 */
const KIND_OF_CODE: Readonly<Partial<Record<FactCode, DatabaseErrorKind>>> = {
  'server-unreachable': 'unreachable',
  'server-answers-with-error': 'unreachable',
  'pgbouncer-unreachable': 'unreachable',
  'pgbouncer-command-refused': 'unreachable',
  'login-refused': 'authentication',
  'password-missing': 'authentication',
  'pgbouncer-login-refused': 'authentication',
  'server-uses-no-scram': 'scram',
  'scram-not-proven': 'scram',
  'scram-out-of-turn': 'scram',
  'server-asks-no-password': 'unproven',
  'tls-failed': 'tls',
  'server-has-no-tls': 'tls',
  'server-is-not-postgresql': 'tls',
  'tls-required': 'tls',
  'tls-required-by-pg-hba': 'tls',
  'tls-version-mismatch': 'tls',
  'server-certificate-for-another-name': 'tls',
  'server-certificate-self-signed': 'tls',
  'server-certificate-issuer-unknown': 'tls',
  'server-certificate-from-another-ca': 'tls',
  'server-certificate-from-namesake-ca': 'tls',
  'server-certificate-expired': 'tls',
  'server-ca-certificate-expired': 'tls',
  'server-certificate-not-yet-valid': 'tls',
  'client-certificate-missing': 'tls',
  'client-certificate-not-accepted': 'tls',
  'client-certificate-for-another-role': 'tls',
  'client-certificate-must-name-role': 'tls',
  'client-certificate-ca-unknown': 'tls',
  'client-certificate-expired': 'tls',
  'client-certificate-refused': 'tls',
  'connection-is-pooler': 'pooler',
  'startup-options-ignored': 'pooler',
  'session-of-another-role': 'pooler',
  'database-missing': 'missing-database',
  'object-missing': 'missing-login',
  'privilege-missing': 'privilege',
  'sessions-hidden': 'privilege',
  'lock-held': 'locked',
  'lock-lost': 'locked',
  'login-row-locked': 'locked',
  'embedded-lock-held': 'locked',
  'connections-exhausted': 'full',
  'connections-exhausted-lately': 'full',
  'login-connection-limit-reached': 'full',
  'database-connection-limit-reached': 'full',
  'no-session-free': 'busy',
};

/**
 * A fault of PostgreSQL or of the way to it. TODO: a plain Fault, once everybody asks for codes.
 */
export class DatabaseError extends Fault {
  /** Given where somebody makes one with a kind and a sentence still. */
  readonly #kind: DatabaseErrorKind | undefined;

  constructor(thrown: Fact, options?: ErrorOptions);
  /** TODO: remove, once every fault of a database has a code. */
  constructor(kind: DatabaseErrorKind, message: string, options?: ErrorOptions);
  constructor(
    thrown: Fact | DatabaseErrorKind,
    message?: string | ErrorOptions,
    options: ErrorOptions | undefined = typeof message === 'object' ? message : undefined,
  ) {
    super(typeof thrown === 'string' ? fact('unexpected', { text: String(message) }) : thrown, options);
    this.#kind = typeof thrown === 'string' ? thrown : undefined;
  }

  get kind(): DatabaseErrorKind {
    return this.#kind ?? KIND_OF_CODE[this.fact.code] ?? 'other';
  }

  /** Whether it was made with a kind and a sentence, and so has no code of its own. */
  get isUncoded(): boolean {
    return this.#kind !== undefined;
  }
}

/**
 * `fault` of src/facts/fault.ts, as a DatabaseError. TODO: that function, once everybody asks for
 * codes.
 */
export function databaseFault<Code extends FactCode>(
  code: Code,
  params: FactParams[Code],
  { cause, remedies = [] }: { readonly cause?: unknown; readonly remedies?: readonly Remedy[] } = {},
): DatabaseError {
  // Each member of the union is a Fact; the compiler does not see it for a code that it does not
  // know.
  const thrown = fact(code, params, ...remedies) as Fact;
  return new DatabaseError(thrown, cause === undefined ? undefined : { cause });
}

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

/** What pg or Node.js threw while talking to `place`, as a fact. */
export function databaseError(cause: unknown, place: string): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  if (cause instanceof Fault) return new DatabaseError(cause.fact, { cause });
  const thrown = (cause ?? {}) as Thrown;
  const said = { place, detail: detailOf(cause) };
  if (NO_PASSWORD.test(thrown.message ?? '')) return databaseFault('password-missing', { place }, { cause });
  const because = refusalOf(thrown);
  return because === undefined
    ? databaseFault(codeOf(thrown), said, { cause })
    : databaseFault('login-refused', { ...said, because }, { cause });
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

/** Whether the server has no connection left for anybody, whoever asks. */
export function isServerFull(error: unknown): boolean {
  if (!(error instanceof Fault)) return false;
  const { code } = error.fact;
  return code === 'connections-exhausted' || code === 'connections-exhausted-lately';
}
