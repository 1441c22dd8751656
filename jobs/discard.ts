import type { Policy } from '../src/config/policy.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { OpenDestination } from '../src/rotation/context/policy-view.ts';
import { discardEverywhere } from '../src/rotation/end-and-discard.ts';

/** How often a worker tries it, in milliseconds, and how many rotations a turn looks at. */
export const DISCARD_EVERY_MS = 300_000;
const PER_TURN = 50;

export interface DiscardParts {
  readonly ledger: Ledger;
  readonly policies: () => ReadonlyMap<string, Policy>;
  readonly destinations: (policy: Policy) => readonly OpenDestination[];
}

/**
 * Discards what rotations that failed have left in their stores, where a store was away when they
 * ended. So the version loses its label, and the store may delete it. Of a policy whose store does
 * not answer only one rotation is tried.
 */
export function discardTurn({ ledger, policies, destinations }: DiscardParts): () => Promise<void> {
  return async () => {
    const away = new Set<string>();
    for (const { id, policy: name } of await ledger.retention.leftStaged(PER_TURN)) {
      const policy = policies().get(name);
      if (!policy || away.has(name)) continue;
      // The rotator's version may be the only one with the password that was set. It stays pending.
      const isLeft = policy.type === 'logins' && !(await discardEverywhere(destinations(policy), id));
      if (isLeft) away.add(name);
      else await ledger.retention.discarded(id);
    }
  };
}
