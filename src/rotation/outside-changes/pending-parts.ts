import type { Field, Mapping } from '../../config/policy.ts';
import type { OpenDestination, RotationContext } from '../context/rotation-context.ts';

/** A version that is pending under one field of a destination. */
export interface PendingPart {
  readonly mapping: Mapping;
  readonly token: string;
}

/**
 * The versions, other than this rotation's own, that are pending in a destination, field by field:
 * they need not all be of one origin, and then no single token discards them.
 */
export async function otherPendingParts(
  context: RotationContext,
  destination: OpenDestination,
): Promise<readonly PendingPart[]> {
  const pending = await context.read(destination, 'pending');
  if (!pending || pending.token === context.rotation.id) return [];
  const parts: PendingPart[] = [];
  for (const [field, secret] of Object.entries(destination.secrets)) {
    const mapping: Mapping = { [field as Field]: secret };
    const token = pending.token ?? (await destination.store.read(mapping, 'pending'))?.token;
    if (token !== undefined && token !== context.rotation.id) parts.push({ mapping, token });
  }
  return parts;
}
