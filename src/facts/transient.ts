import type { FactCode } from './fact.ts';

/**
 * The codes of faults that may pass without anybody doing something, so that a rotation tries
 * again. All others end it before publish, or wait for somebody after it.
 */
const TRANSIENT: ReadonlySet<FactCode> = new Set<FactCode>([
  'unexpected',
  'server-unreachable',
  'server-answers-with-error',
  'pgbouncer-unreachable',
  'pgbouncer-command-refused',
  'connections-exhausted',
  'connections-exhausted-lately',
  'login-connection-limit-reached',
  'database-connection-limit-reached',
  'no-session-free',
  'database-error',
  'lock-held',
  'lock-lost',
  'login-row-locked',
  'embedded-lock-held',
  'ledger-tables-locked',
  'login-not-revoked-yet',
  'replica-refuses-rotator-passwords',
  'replicas-behind',
  'store-does-not-give-back',
  // The folder of a file store was one that could be written: somebody is about to mend it, as
  // after a remount.
  'folder-unusable',
  'queue-database-unreachable',
  'queue-login-refused',
  'queue-tables-locked',
  'queue-takes-no-job',
  'queue-tls-failed',
  'queue-unreachable',
  'store-throttled',
  'store-unreachable',
  'version-conflict',
  'version-removed',
]);

export function isTransientCode(code: FactCode): boolean {
  return TRANSIENT.has(code);
}
