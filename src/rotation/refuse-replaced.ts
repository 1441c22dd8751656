import { fault } from '../facts/fault.ts';
import type { RotationContext } from './context/rotation-context.ts';

/** Throws a fault where a rotation was published and is no more: what replaced it is somebody else's. */
export function refuseReplaced({
  destinations: [{ name: destination }],
  rotation: { publishedAt, outgoing },
}: RotationContext): void {
  if (publishedAt === null) return;
  throw fault('published-version-replaced', {
    destination,
    publishedAt: publishedAt.toISOString(),
    outgoing,
  });
}
