import { setTimeout as sleep } from 'node:timers/promises';
import type { Rotation } from '../../../ledger/rotation.ts';

const POLL_MS = 500;

/** Some rotations that are open, and whether each is in the state that is waited for. */
export type Looked = readonly { readonly rotation: Rotation; readonly isSo: boolean }[];

/**
 * Resolves with the rotations of a look when each of them has been in that state for `patience`
 * milliseconds. It does not resolve if none is open, or if the signal is aborted before.
 */
export async function untilAllLast(
  look: () => Promise<Looked>,
  { patience, signal }: { readonly patience: number; readonly signal: AbortSignal },
): Promise<readonly [Rotation, ...Rotation[]]> {
  const since = new Map<string, number>();
  while (!signal.aborted) {
    const looked = await look();
    const now = performance.now();
    for (const { rotation, isSo } of looked) {
      if (!isSo) since.delete(rotation.id);
      else if (!since.has(rotation.id)) since.set(rotation.id, now);
    }
    const [first, ...others] = looked.map(({ rotation }) => rotation);
    const lasts = ({ id }: Rotation) => now - (since.get(id) ?? Number.POSITIVE_INFINITY) >= patience;
    if (first && [first, ...others].every(lasts)) return [first, ...others];
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return new Promise(() => {});
}
