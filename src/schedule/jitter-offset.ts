import { createHash } from 'node:crypto';

/**
 * A policy's own offset from each slot, in whole milliseconds, at least 0 and less than `jitter`.
 * It is computed from the policy's name alone, so it never changes, every worker gets the same, and
 * many policies are spread evenly.
 */
export function jitterOffset(policy: string, jitter = 0): number {
  // 48 bits fit a number exactly, also after the division.
  const hash = createHash('sha256').update(policy).digest().readUIntBE(0, 6);
  return Math.floor((hash / 2 ** 48) * jitter);
}
