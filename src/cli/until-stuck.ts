import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../ledger/ledger.ts';

/** How long an emergency waits for a rotation that fails again and again, in milliseconds. */
export const STUCK_MS = 20_000;
const POLL_MS = 500;

/**
 * Resolves when all open rotations of these policies are stuck: each has been failing for
 * `STUCK_MS`. It does not resolve if none is open, or if the signal is aborted before.
 */
export async function untilStuck(
  ledger: Pick<Ledger, 'open'>,
  policies: readonly string[],
  signal: AbortSignal,
): Promise<'stuck'> {
  const failingSince = new Map<string, number>();
  while (!signal.aborted) {
    const open = (await Promise.all(policies.map((policy) => ledger.open(policy)))).flat();
    const now = performance.now();
    for (const { id, attempts } of open) {
      if (attempts === 0) failingSince.delete(id);
      else if (!failingSince.has(id)) failingSince.set(id, now);
    }
    const isStuck = ({ id }: { readonly id: string }) => now - (failingSince.get(id) ?? now) >= STUCK_MS;
    if (open.length > 0 && open.every(isStuck)) return 'stuck';
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return new Promise(() => {});
}
