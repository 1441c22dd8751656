import type { RotationContext } from './rotation-context.ts';

/** The rotation was ended or turned round by somebody else since this run began: whatever comes next is not its to do. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/**
 * Throws Superseded unless the ledger still says what this run began with. Asked under the policy's lock, by whoever
 * is about to alter a role or promote a version: who ends a rotation or turns it round holds that lock too.
 */
export async function refuseSuperseded({ ledger, rotation }: RotationContext): Promise<void> {
  const now = await ledger.find(rotation.id);
  if (now?.status === 'open' && now.rolledBackBy === rotation.rolledBackBy) return;
  throw new Superseded(`Rotation ${rotation.id} was ended or rolled back meanwhile`);
}
