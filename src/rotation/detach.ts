import { fact } from '../facts/fact.ts';
import { factOf, fault } from '../facts/fault.ts';
import { recorded } from '../ledger/audit/recorded.ts';
import type { Requester } from '../ledger/audit/requester.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { refuseDuringRotation } from './attach.ts';
import type { OpenDestination, PolicyView } from './context/policy-view.ts';

interface Detaching {
  readonly ledger: Ledger;
  /** Who asks for it. */
  readonly requester: Requester;
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
  { ledger, requester, destination, deletes, commit }: Detaching,
): Promise<void> {
  const { name: policy, logins } = view.policy;
  const action = { policy, kind: 'detach', ...requester } as const;
  const told = () => fact('attachment-ended', { policy, store: destination.name, deleted: deletes });
  await recorded({ ledger, action, told }, async (begin) =>
    withPolicyLock(await view.rotator(), logins, async (lock) => {
      await refuseDuringRotation(view, ledger);
      await begin();
      await lock.confirm();
      await commit();
      if (deletes) await remove(destination);
    }),
  );
}

/** Deletes the secrets of a destination; where that fails, they stay, and the fault names them. */
async function remove({ store, secrets, name }: OpenDestination): Promise<void> {
  try {
    await store.remove(secrets);
  } catch (error) {
    const names = [...new Set(Object.values(secrets).map(({ secret }) => secret))];
    const left = { store: name, secrets: names, cause: factOf(error) };
    throw fault('detached-secrets-left', left, { cause: error });
  }
}
