import { type Fault, fault } from '../../../facts/fault.ts';
import { command } from '../../../facts/remedy.ts';
import type { Ledger } from '../../../ledger/ledger.ts';
import type { Event, Rotation } from '../../../ledger/rotation.ts';
import { untilAllLast } from './until-all-last.ts';

/** How long to wait for a worker that has a policy, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Resolves with a fault when no worker has the policies of the rotations that are still open: for a
 * minute they have only been with workers that lack them. It does not resolve otherwise, or if the
 * signal is aborted before.
 */
export async function untilUnknown(
  ledger: Pick<Ledger, 'open' | 'events'>,
  rotations: () => readonly Rotation[],
  { signal, patience = PATIENCE_MS }: { readonly signal: AbortSignal; readonly patience?: number },
): Promise<Fault> {
  const [first] = await untilAllLast(
    async () => {
      const ids = new Set(rotations().map(({ id }) => id));
      // One statement for all, however many they are.
      const open = ids.size === 0 ? [] : (await ledger.open()).filter(({ id }) => ids.has(id));
      const events = await ledger.events(open.map(({ id }) => id));
      return open.map((rotation) => ({
        rotation,
        isSo: onlyLacked(events.filter((event) => event.rotation === rotation.id)),
      }));
    },
    { patience, signal },
  );
  return noWorkerHas(first, patience);
}

/** Whether all that happened to a rotation is that workers lacked its policy. */
function onlyLacked(events: readonly Event[]): boolean {
  return events.length > 0 && events.every(({ fact }) => fact?.code === 'worker-lacks-policy');
}

function noWorkerHas({ id, policy }: Rotation, patience: number): Fault {
  const params = { policy, rotation: id, seconds: patience / 1_000 };
  return fault('no-worker-has-policy', params, { remedies: [command('cancel', policy)] });
}
