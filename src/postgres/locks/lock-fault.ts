/** What PostgreSQL says of itself besides the text: https://www.postgresql.org/docs/current/protocol-error-fields.html */
interface Told {
  readonly code?: unknown;
  readonly routine?: unknown;
}

/**
 * Whether a lock was not to be had: within `lock_timeout` (lock_not_available), or because who has it waits for a lock of
 * this session in turn (deadlock_detected).
 */
export function isLockRefused(error: unknown): boolean {
  const { code } = (error ?? {}) as Told;
  return code === '55P03' || code === '40P01';
}

/**
 * Whether somebody else changed the same row of a catalog, such as that of a role, and committed meanwhile. PostgreSQL
 * has no code for it but that of all its internal errors, so the routine that gave up tells.
 */
export function isConcurrentUpdate(error: unknown): boolean {
  const { code, routine } = (error ?? {}) as Told;
  return code === 'XX000' && (routine === 'simple_heap_update' || routine === 'simple_heap_delete');
}
