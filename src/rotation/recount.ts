import { fact } from '../facts/fact.ts';
import { isFuture } from '../ledger/future.ts';
import type { RotationRun } from './context/rotation-view.ts';
import { warn } from './warn.ts';

/**
 * Counts a rotation's grace, deadline and retries from now where they would count from an instant
 * in the future, which a wrong clock wrote.
 */
export async function recount(context: RotationRun): Promise<void> {
  const { ledger, clock, rotation } = context;
  const [future] = [rotation.publishedAt, rotation.requestedAt].filter((at) => isFuture(at, clock.now()));
  if (!future) return;
  const recounted = await ledger.recount(rotation.id);
  if (!recounted) return;
  context.follow(recounted);
  const at = future.toISOString();
  await warn(context, recounted.publishedAt ? 'drain' : 'check', {
    fact: fact('rotation-recounted', { at }),
    subject: at,
  });
}
