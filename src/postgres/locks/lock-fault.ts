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
