import { superseded } from '../ledger/superseded.ts';
import type { RotationContext } from './context/rotation-context.ts';

/**
 * Throws a fault `rotation-superseded` unless the ledger still says what this run began with. Asked under the policy's lock, by whoever
 * is about to alter a role or change a store: who ends a rotation or turns it round holds that lock too.
 */
export async function refuseSuperseded({ ledger, rotation }: RotationContext): Promise<void> {
  const now = await ledger.find(rotation.id);
  if (now?.status === 'open' && now.rolledBackBy === rotation.rolledBackBy) return;
  throw superseded(rotation.id);
}
