import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../ledger/ledger.ts';
import type { Event, Rotation } from '../ledger/rotation.ts';

const POLL_MS = 200;

/** A new line of a rotation's history, or its end. */
export type RotationNews =
  | { readonly rotation: Rotation; readonly event: Event }
  | { readonly rotation: Rotation; readonly ended: true };

/**
 * The rotations to follow. More may be added until `complete`, and the replacement of a rotation is
 * added too.
 */
export interface Watched {
  readonly rotations: Rotation[];
  readonly complete: boolean;
}

/** Follows rotations in the ledger until all have ended or the signal is aborted. */
export async function* watchRotations(
  ledger: Ledger,
  watched: Watched,
  signal: AbortSignal,
): AsyncGenerator<RotationNews> {
  const told = new Map<string, number>();
  const ended = new Set<string>();
  while (!signal.aborted) {
    const open = watched.rotations.filter(({ id }) => !ended.has(id));
    if (open.length === 0 && watched.complete) return;
    const rows = await Promise.all(open.map(({ id }) => ledger.find(id)));
    const events = await ledger.events(open.map(({ id }) => id));
    for (const rotation of rows) {
      if (!rotation) continue;
      const own = events.filter((event) => event.rotation === rotation.id);
      for (const event of own.slice(told.get(rotation.id) ?? 0)) yield { rotation, event };
      told.set(rotation.id, own.length);
      if (rotation.status === 'open') continue;
      ended.add(rotation.id);
      yield { rotation, ended: true };
      if (rotation.status !== 'failed') continue;
      // The ledger ends a rotation and opens its replacement in one statement, so it is there by
      // now.
      const since = await ledger.latest({ policy: rotation.policy, limit: 20 });
      watched.rotations.push(...since.filter(({ replaces }) => replaces === rotation.id));
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
