import { strangersMessage } from '../../visible.ts';
import { ScramFault } from './scram-fault.ts';

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

/** A fault of PostgreSQL or of the way to it. The message names the server and what mends it; never a password. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly kind: DatabaseErrorKind;

  constructor(kind: DatabaseErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** SQLSTATE classes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const KIND_OF_SQLSTATE: Readonly<Record<string, DatabaseErrorKind>> = {
  '28P01': 'authentication',
  '28000': 'authentication',
  '3D000': 'missing-database',
  '42704': 'missing-login',
  '42501': 'privilege',
  '53300': 'full',
  '57P01': 'unreachable',
  '57P02': 'unreachable',
  '57P03': 'unreachable',
};

const REMEDIES: Readonly<Partial<Record<DatabaseErrorKind, string>>> = {
  unreachable: 'check host, port, firewall and that the server is up',
  authentication: 'check the user and password, and pg_hba.conf',
  pooler:
    'this is a pooler such as PgBouncer; point the connection at PostgreSQL itself, and list the PgBouncer under pgbouncer',
  tls: "check the connection's tls settings against the server's certificate",
  full: 'end sessions that nobody needs, or raise max_connections. On PostgreSQL 16 and newer a rotator with pg_use_reserved_connections gets in all the same, where reserved_connections is above 0. It is tried again',
  'missing-database': "create it, or correct the connection's database",
};

/** Whether PostgreSQL said that a right is missing (insufficient_privilege), which no other try will mend. */
export function isForbidden(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '42501';
}

/** Codes of Node.js for a handshake or a certificate that fails: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
export const TLS_FAULT = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/;

/** What pg says when it has to prove a password and has none. */
const NO_PASSWORD = /^SASL: .*client password must be/;

/** Wraps what pg or Node.js threw while talking to `place`, with its kind and what mends one of that kind. */
export function databaseError(cause: unknown, place: string, remedies = REMEDIES): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const kind = kindOf(cause);
  const remedy = isOwnLimit(cause) ? OWN_LIMIT : (remedies[kind] ?? REMEDIES[kind]);
  const told = kind === 'full' ? `the server has no free connection (${messageOf(cause)})` : messageOf(cause);
  return new DatabaseError(kind, `${place}: ${told}${remedy ? `; ${remedy}` : ''}`, { cause });
}

const OWN_LIMIT = 'end sessions that nobody needs, or raise the limit that it names. It is tried again';

/**
 * Whether it is the login or the database that has its CONNECTION LIMIT, and not the whole server.
 * https://www.postgresql.org/docs/current/protocol-error-fields.html: `routine` is where in its source it gave up.
 */
function isOwnLimit(cause: unknown): boolean {
  const { code, routine } = (cause ?? {}) as { code?: unknown; routine?: unknown };
  return code === '53300' && (routine === 'InitializeSessionUserId' || routine === 'CheckMyDatabase');
}

/** Whether the server has no connection left for anybody, whoever asks. */
export function isServerFull(error: unknown): boolean {
  return error instanceof DatabaseError && error.kind === 'full' && !isOwnLimit(error.cause);
}

function kindOf(cause: unknown): DatabaseErrorKind {
  if (cause instanceof ScramFault) return cause.kind;
  const { code, message } = cause as { code?: unknown; message?: string };
  // The one code that PgBouncer has for all its own faults; PostgreSQL uses it for none of these.
  if (code === '08P01') {
    if (/^unsupported startup parameter/.test(message ?? '')) return 'pooler';
    if (/authentication failed|no such user|not allowed|access needed/.test(message ?? ''))
      return 'authentication';
  }
  if (typeof code === 'string') {
    const kind = KIND_OF_SQLSTATE[code];
    if (kind) return kind;
    if (code.startsWith('08')) return 'unreachable';
    if (/^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_|EPIPE)/.test(code)) return 'unreachable';
    if (TLS_FAULT.test(code)) return 'tls';
  }
  if (NO_PASSWORD.test(message ?? '')) return 'authentication';
  if (/SSL|TLS|certificate/.test(message ?? '')) return 'tls';
  if (/timeout|terminated|Connection ended|not queryable/i.test(message ?? '')) return 'unreachable';
  return 'other';
}

// Node.js reports a name that resolves to several dead addresses as an AggregateError with an empty message.
function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join(', ');
  const message = cause instanceof Error ? cause.message : String(cause);
  if (NO_PASSWORD.test(message)) return 'the server asks for a password, and there is none';
  return strangersMessage(message);
}
