import { type Fault, fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { RotationView } from '../context/rotation-view.ts';

/**
 * Throws a fault `publication-replaced` where a rotation was published and somebody replaced its
 * version.
 */
export function refuseReplaced({
  destinations: [primary],
  policy,
  rotation: { publishedAt, outgoing },
}: RotationView): void {
  if (publishedAt !== null) throw replaced({ destination: primary.name, outgoing, policy: policy.name });
}

/** What is thrown where the primary does not publish what a rotation published there. */
export function replaced({
  policy,
  ...params
}: {
  readonly destination: string;
  readonly outgoing: string | null;
  readonly policy: string;
}): Fault {
  return fault('publication-replaced', params, { remedies: [command('rotate', policy)] });
}
