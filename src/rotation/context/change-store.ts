import type { Mapping } from '../../config/policy.ts';
import type { Fields } from '../../secret-store/secret-store.ts';
import { type OpenDestination, type RotationContext, tokenOf } from './rotation-context.ts';

/** Stages a rotation's version in a destination. */
export async function stageVersion(
  context: RotationContext,
  { store, secrets, create }: OpenDestination,
  fields: Fields,
): Promise<void> {
  await store.stage(secrets, context.rotation.id, fields, { create });
  context.forget();
}

/** Makes the version that a rotation goes to current in a destination. */
export async function promoteVersion(
  context: RotationContext,
  { store, secrets }: OpenDestination,
): Promise<void> {
  await store.promote(secrets, tokenOf(context), { back: context.rotation.rolledBackTo !== null });
  context.forget();
}

/** Discards a pending version from some secrets of a destination. */
export async function discardVersion(
  context: RotationContext,
  { store }: OpenDestination,
  { mapping, token }: { readonly mapping: Mapping; readonly token: string },
): Promise<void> {
  await store.discard(mapping, token);
  context.forget();
}
