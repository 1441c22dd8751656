/**
 * How long a change of roles waits for a lock, in milliseconds. Altering a table's owner or privileges locks the table:
 * while that waits for a long reader, every later query waits behind it, so the consumers would stand still with it.
 */
export const LOCK_WAIT_MS = 2_000;

/**
 * The statement that gives up after so long, with `55P03`, for the transaction that it is run in.
 * https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
 */
export function limitLockWaits(): string {
  return `SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`;
}
