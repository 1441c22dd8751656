import type { PromoteOptions, Stage } from './secret-store.ts';

/** The stages from which a version may become current. */
export function promotableStages({ back = false }: PromoteOptions = {}): readonly Stage[] {
  // In the order in which a version goes through them, so that another process's promotion cannot hide it.
  return back ? ['pending', 'current', 'previous'] : ['pending', 'current'];
}
