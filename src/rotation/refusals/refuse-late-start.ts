import { fault } from '../../facts/fault.ts';
import { windowEnd } from '../../schedule/due-slot.ts';
import type { Preview } from '../context/rotation-view.ts';

/**
 * Throws where a rotation waited for a worker or its database until its window was over. It is left
 * to the next slot.
 */
export function refuseLateStart({ policy: { schedule }, rotation, clock }: Preview): void {
  if (!schedule || !rotation?.slot || rotation.incoming !== null) return;
  const end = windowEnd(schedule, rotation.slot.getTime());
  if (end === undefined || clock.now() < end) return;
  throw fault('slot-window-over', {
    slot: rotation.slot.toISOString(),
    end: new Date(end).toISOString(),
  });
}
