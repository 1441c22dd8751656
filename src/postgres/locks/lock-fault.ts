/**
 * How long a change of roles waits for a lock, in milliseconds. A change of a table's owner or
 * privileges locks the table. While that waits for a long reader, every later query of the
 * consumers waits behind it.
 */
export const LOCK_WAIT_MS = 2_000;

/**
 * The statement that limits the lock waits of its transaction. A longer wait fails with `55P03`.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
 */
export function limitLockWaits(): string {
  return `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`;
}

/**
 * What PostgreSQL says besides the text:
 * https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
interface ErrorFields {
  readonly code?: unknown;
  readonly routine?: unknown;
}

/**
 * Whether a lock could not be taken: within `lock_timeout` (lock_not_available), or because its
 * holder waits for a lock of this session (deadlock_detected).
 */
export function isLockRefused(error: unknown): boolean {
  const { code } = (error ?? {}) as ErrorFields;
  return code === '55P03' || code === '40P01';
}

/**
 * Whether somebody else changed the same row of a catalog, such as that of a role, and committed
 * meanwhile. PostgreSQL reports it as an internal error, so the routine in its source tells.
 */
export function isConcurrentUpdate(error: unknown): boolean {
  const { code, routine } = (error ?? {}) as ErrorFields;
  return code === 'XX000' && (routine === 'simple_heap_update' || routine === 'simple_heap_delete');
}
