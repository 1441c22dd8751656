import { createHash } from 'node:crypto';

/** The key of an advisory lock, a number of 64 bits, for these names. */
export function lockKey(names: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(names)).digest();
  return digest.readBigInt64BE(0).toString();
}
