import { createHash } from 'node:crypto';

/**
 * A policy's own offset from each slot, in whole milliseconds from 0 up to but excluding `jitter`.
 * It follows from the policy's name alone, so it never changes, every worker knows it, and a fleet
 * is spread evenly.
 */
export function jitterOffset(policy: string, jitter = 0): number {
  // 48 bits: as many as a number holds exactly after the division.
  const hash = createHash('sha256').update(policy).digest().readUIntBE(0, 6);
  return Math.floor((hash / 2 ** 48) * jitter);
}
