import { fault } from '../facts/fault.ts';
import type { Fields, PromoteOptions, Stage } from './secret-store.ts';

// What every adapter keeps to.

/** The stages from which a version may become current. */
export function promotableStages({ back = false }: PromoteOptions = {}): readonly Stage[] {
  // In the order in which a version goes through them, so that another process's promotion cannot
  // hide it.
  return back ? ['pending', 'current', 'previous'] : ['pending', 'current'];
}

/**
 * Throws `version-conflict` when the token has staged another password than the one that is about
 * to be written next to it: one token must never have two of them (G4). The next try reads the
 * first.
 */
export function refuseOther(store: string, token: string, staged: Fields, wanted: Fields): void {
  for (const field of ['password', 'url'] as const) {
    if (staged[field] === undefined || wanted[field] === undefined || staged[field] === wanted[field])
      continue;
    throw fault('version-conflict', { store, token, field });
  }
}

/** The latest of some instants; undefined of none. */
export function latestOf(instants: readonly Date[]): Date | undefined {
  return instants.toSorted((one, other) => other.getTime() - one.getTime())[0];
}
