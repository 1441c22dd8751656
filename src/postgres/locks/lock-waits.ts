/**
 * How long a change of roles waits for a lock, in milliseconds. A change of a table's owner or
 * privileges locks the table. While that waits for a long reader, every later query of the
 * consumers waits behind it.
 */
export const LOCK_WAIT_MS = 2_000;

/**
 * The statement that limits the waits of its transaction, which fail with `55P03` then.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
 */
export function limitLockWaits(): string {
  return `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`;
}
