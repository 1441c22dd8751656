import type { Ledger } from '../../../ledger/ledger.ts';
import { untilAllLast } from './until-all-last.ts';

/** How long an emergency waits for a rotation that fails again and again, in milliseconds. */
export const STUCK_MS = 20_000;

/**
 * Resolves when all open rotations of these policies are stuck: each has been failing for
 * `STUCK_MS`. It does not resolve if none is open, or if the signal is aborted before.
 */
export async function untilStuck(
  ledger: Pick<Ledger, 'open'>,
  policies: readonly string[],
  signal: AbortSignal,
): Promise<'stuck'> {
  await untilAllLast(
    async () => {
      const open = (await Promise.all(policies.map((policy) => ledger.open(policy)))).flat();
      return open.map((rotation) => ({ rotation, isSo: rotation.attempts > 0 }));
    },
    { patience: STUCK_MS, signal },
  );
  return 'stuck';
}
