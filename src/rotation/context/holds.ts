import type { Rotation } from '../../ledger/rotation.ts';
import type { Stage } from '../../secret-store/secret-store.ts';
import type { OpenDestination, PolicyView } from './policy-view.ts';
import type { RotationView } from './rotation-view.ts';

/**
 * The token of the version that a rotation makes current: its own, or on its way back the one
 * before.
 */
export function tokenOf({ rotation }: { readonly rotation: Rotation }): string {
  return rotation.rolledBackTo ?? rotation.id;
}

/** Whether a destination has the whole version of this rotation under a stage. */
export async function holds(
  view: PolicyView & { readonly rotation: Rotation },
  destination: OpenDestination,
  stage: Stage,
): Promise<boolean> {
  const version = await view.read(destination, stage);
  return (
    version?.token === tokenOf(view) &&
    Object.keys(destination.secrets).every((field) => field in version.fields)
  );
}

/** Whether a destination has the whole version of this rotation, published or still pending. */
export async function isStaged(
  view: PolicyView & { readonly rotation: Rotation },
  destination: OpenDestination,
): Promise<boolean> {
  return (await holds(view, destination, 'current')) || (await holds(view, destination, 'pending'));
}

/**
 * Whether a destination publishes this rotation in any of its secrets. A promotion may have stopped
 * between two secrets; `holds` cannot distinguish that from one that never began.
 */
export async function holdsAny(view: RotationView, destination: OpenDestination): Promise<boolean> {
  for (const [field, name] of Object.entries(destination.secrets)) {
    const part = await destination.store.read({ [field]: name }, 'current');
    if (part?.token === tokenOf(view)) return true;
  }
  return false;
}

/** Whether the primary publishes this rotation: from then on there is no way but forward. */
export function isPublished(view: RotationView): Promise<boolean> {
  return holds(view, view.destinations[0], 'current');
}
