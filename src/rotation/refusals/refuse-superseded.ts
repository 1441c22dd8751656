import { superseded } from '../../ledger/superseded.ts';
import type { RotationView } from '../context/rotation-view.ts';

/**
 * Throws a fault `rotation-superseded` unless the ledger still says what this run began with. Call
 * it under the policy's lock, before a role or a store is changed: ending a rotation and turning it
 * round take that lock too.
 */
export async function refuseSuperseded({ ledger, rotation }: RotationView): Promise<void> {
  const now = await ledger.find(rotation.id);
  if (now?.status === 'open' && now.rolledBackBy === rotation.rolledBackBy) return;
  throw superseded(rotation.id);
}
