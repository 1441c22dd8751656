import type { FactCode } from './fact.ts';
import { Fault } from './fault.ts';

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
  'folder-contended',
  // The folder of a file store was one that could be written: somebody is about to mend it, as
  // after a remount.
  'folder-unusable',
  'queue-database-unreachable',
  'queue-login-refused',
  'queue-node-in-plaintext',
  'queue-primary-unknown',
  'queue-tables-locked',
  'queue-takes-no-job',
  'queue-tls-failed',
  'queue-unreachable',
  'secret-contended',
  'secret-versions-exhausted',
  'store-answer-invalid',
  'store-module-failed',
  'store-module-too-slow',
  'store-throttled',
  'store-unreachable',
  'vault-sealed',
  'version-conflict',
  'version-removed',
]);

export function isTransientCode(code: FactCode): boolean {
  return TRANSIENT.has(code);
}

/**
 * The codes of faults that no try gets past, as long as nobody puts something right by hand. An
 * emergency ends such a rotation and takes its place; a rotation on its way back ends there.
 */
const NO_WAY_FORWARD: ReadonlySet<FactCode> = new Set<FactCode>([
  'ledger-names-other-logins',
  'published-password-altered',
  'staged-version-lost',
  'staged-version-of-another-login',
]);

export function isNoWayForward(error: unknown): boolean {
  return error instanceof Fault && NO_WAY_FORWARD.has(error.fact.code);
}
