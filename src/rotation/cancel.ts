import type { Rotation } from '../ledger/rotation.ts';
import { DatabaseError, isForbidden } from '../postgres/database-error.ts';
import { withPolicyLock } from '../postgres/policy-lock.ts';
import { Refusal } from './refusal.ts';
import { holdsAny, type RotationContext } from './rotation-context.ts';
import { endUnset } from './rotator-steps/end-unset.ts';
import { shutIncoming, takeBack } from './take-back.ts';

/**
 * Ends an open rotation that is not published, and takes back what it staged and set. Throws a Refusal when it is
 * published in any secret: from there the ways are forward and `rollback`.
 */
export async function cancel(context: RotationContext, by: string): Promise<Rotation> {
  const { ledger, policy, rotation } = context;
  if (policy.type === 'rotator') return cancelRotator(context, by);
  const end = async () => {
    for (const destination of context.destinations) {
      if (!(await holdsAny(context, destination))) continue;
      throw new Refusal(
        `${destination.name} publishes rotation ${rotation.id} already; go back with: keyturn rollback ${policy.name}`,
      );
    }
    return ledger.finish(rotation.id, 'failed', `cancelled by ${by}`);
  };
  let ended: Rotation;
  try {
    ended = await withPolicyLock(await context.rotator(), policy.logins, async () => {
      const finished = await end();
      await shutIncoming(context);
      return finished;
    });
  } catch (error) {
    // Where the rotator does not reach the database, or may not alter the logins, nobody can hold the lock and publish.
    if (!(error instanceof DatabaseError && error.kind === 'unreachable') && !isForbidden(error)) throw error;
    ended = await end();
  }
  await takeBack(context);
  return ended;
}

async function cancelRotator(context: RotationContext, by: string): Promise<Rotation> {
  const ended = await endUnset(context, `cancelled by ${by}`);
  if (ended) return ended;
  const { policy, rotation } = context;
  throw new Refusal(
    `Rotation ${rotation.id} has given ${policy.logins[0]} its new password already, and the old one is refused; it can only go on, see: keyturn status ${policy.name}`,
  );
}
