import type { Field, Mapping } from '../../config/policy.ts';
import type { OpenDestination } from '../context/policy-view.ts';
import type { Preview } from '../context/rotation-view.ts';

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
  preview: Preview,
  destination: OpenDestination,
): Promise<readonly PendingPart[]> {
  const own = preview.rotation?.id;
  const pending = await preview.read(destination, 'pending');
  if (!pending || (own !== undefined && pending.token === own)) return [];
  const parts: PendingPart[] = [];
  for (const [field, secret] of Object.entries(destination.secrets)) {
    const mapping: Mapping = { [field as Field]: secret };
    const token = pending.token ?? (await destination.store.read(mapping, 'pending'))?.token;
    if (token !== undefined && token !== own) parts.push({ mapping, token });
  }
  return parts;
}
