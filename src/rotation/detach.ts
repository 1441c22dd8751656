import { factOf, fault } from '../facts/fault.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { refuseDuringRotation } from './attach.ts';
import type { OpenDestination, PolicyView } from './context/policy-view.ts';

interface Detaching {
  readonly ledger: Ledger;
  readonly destination: OpenDestination;
  /** Whether to delete its secrets, too. */
  readonly deletes: boolean;
  /** Writes the configuration that has the destination no more. */
  readonly commit: () => Promise<void>;
}

/**
 * Commits the configuration without a destination, and deletes its secrets if asked to, under the
 * policy's lock. The configuration comes first: else a rotation would make the secrets again.
 */
export async function detach(
  view: PolicyView,
  { ledger, destination, deletes, commit }: Detaching,
): Promise<void> {
  const { store, secrets } = destination;
  await withPolicyLock(await view.rotator(), view.policy.logins, async (lock) => {
    await refuseDuringRotation(view, ledger);
    await lock.confirm();
    await commit();
    if (!deletes) return;
    try {
      await store.remove(secrets);
    } catch (error) {
      const names = [...new Set(Object.values(secrets).map(({ secret }) => secret))];
      const left = { store: destination.name, secrets: names, cause: factOf(error) };
      throw fault('detached-secrets-left', left, { cause: error });
    }
  });
}
