import type { Fact } from '../../facts/fact.ts';
import type { Requester } from '../../ledger/audit/requester.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import { isPublished } from '../context/holds.ts';
import type { RotationRun } from '../context/rotation-view.ts';
import { discardStaged } from '../end-and-discard.ts';
import { mayBeSet } from './is-set.ts';
import { pendingInUse } from './pending-in-use.ts';

/**
 * Ends a rotation of the rotator's password as failed and takes back what it staged, unless that is
 * the rotator's password by now: then undefined, and nothing has changed. Throws, and nothing has
 * changed either, where no other password is proven to be the rotator's.
 */
export async function endUnset(
  context: RotationRun,
  cancelled?: { readonly fact: Fact; readonly requester: Requester },
): Promise<Rotation | undefined> {
  const { ledger, policy, rotation } = context;
  const end = () => ledger.finish(rotation, 'failed', cancelled?.fact, cancelled?.requester);
  if (await mayBeSet(context)) {
    // Under the lock that `set` needs, and before anything is discarded: after it nobody sets it
    // any more.
    const ended = await context.underLock(
      async () => ((await isPublished(context)) || (await pendingInUse(context)) ? undefined : end()),
      { logins: policy.logins },
    );
    if (ended) await discardStaged(context);
    return ended;
  }
  const ended = await end();
  // Who began to set it just now either found it ended or has left a trace. Then it stays pending,
  // and a way in.
  if (!(await mayBeSet(context))) await discardStaged(context);
  return ended;
}
