import type { RotationContext } from './context/rotation-context.ts';
import { Refusal } from './refusal.ts';

/** Throws a Refusal where a rotation was published and is no more: what replaced it is somebody else's. */
export function refuseReplaced({
  destinations: [primary],
  rotation: { publishedAt, outgoing },
}: RotationContext): void {
  if (publishedAt === null) return;
  const spared = outgoing === null ? '' : `, so ${outgoing} is not revoked`;
  throw new Refusal(
    `${primary.name} no longer publishes what this rotation published on ${publishedAt.toISOString()}${spared}; find out who changed the secret, then rotate again`,
  );
}
