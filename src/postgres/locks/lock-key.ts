import { createHash } from 'node:crypto';

/** The key of an advisory lock, which is a 64-bit number, for what it stands for: the same for all who name that alike. */
export function lockKey(names: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(names)).digest();
  return digest.readBigInt64BE(0).toString();
}
