import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Event, Rotation } from '../ledger/rotation.ts';

/** How long to wait for a worker that has a policy, in milliseconds. */
const PATIENCE_MS = 60_000;
const POLL_MS = 500;

/**
 * Resolves with a fault when no worker has the policies of the rotations that are still open: for a
 * minute they have only been with workers that lack them. It does not resolve otherwise, or if the
 * signal is aborted before.
 */
export async function untilUnknown(
  ledger: Pick<Ledger, 'find' | 'events'>,
  rotations: () => readonly Rotation[],
  { signal, patience = PATIENCE_MS }: { readonly signal: AbortSignal; readonly patience?: number },
): Promise<Fault> {
  const lackingSince = new Map<string, number>();
  while (!signal.aborted) {
    const open = await openOf(ledger, rotations());
    const events = await ledger.events(open.map(({ id }) => id));
    const now = performance.now();
    for (const { id } of open) {
      const isLacked = onlyLacked(events.filter(({ rotation }) => rotation === id));
      if (!isLacked) lackingSince.delete(id);
      else if (!lackingSince.has(id)) lackingSince.set(id, now);
    }
    const isUnknown = ({ id }: Rotation) =>
      now - (lackingSince.get(id) ?? Number.POSITIVE_INFINITY) >= patience;
    const [first] = open;
    if (first && open.every(isUnknown)) return noWorkerHas(first, patience);
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return new Promise(() => {});
}

async function openOf(ledger: Pick<Ledger, 'find'>, rotations: readonly Rotation[]): Promise<Rotation[]> {
  const rows = await Promise.all(rotations.map(({ id }) => ledger.find(id)));
  return rows.flatMap((row) => (row?.status === 'open' ? [row] : []));
}

/** Whether all that happened to a rotation is that workers lacked its policy. */
function onlyLacked(events: readonly Event[]): boolean {
  return events.length > 0 && events.every(({ fact }) => fact?.code === 'worker-lacks-policy');
}

function noWorkerHas({ id, policy }: Rotation, patience: number): Fault {
  const params = { policy, rotation: id, seconds: patience / 1_000 };
  return fault('no-worker-has-policy', params, { remedies: [command('cancel', policy)] });
}
