import { type Fact, fact } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';
import { command, type Remedy } from '../facts/remedy.ts';
import type { Requester } from '../ledger/audit/requester.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { superseded } from '../ledger/superseded.ts';
import { isForbidden, isServerAway } from '../postgres/connection/database-error.ts';
import { holdsAny } from './context/holds.ts';
import type { RotationRun } from './context/rotation-view.ts';
import { endAndDiscard } from './end-and-discard.ts';
import { endUnset } from './rotator-steps/end-unset.ts';

/**
 * Ends an open rotation that is not published, and takes back what it staged and set. Throws a
 * fault `cancel-after-publish` when it is published in any secret. Then it can only go on, or be
 * rolled back.
 */
export async function cancel(context: RotationRun, requester: Requester): Promise<Rotation> {
  const { ledger, policy, rotation } = context;
  if (policy.type === 'rotator') return cancelRotator(context, requester);
  const end = async () => {
    for (const destination of context.destinations) {
      if (!(await holdsAny(context, destination))) continue;
      const endsByItself = endOf(rotation);
      throw fault(
        'cancel-after-publish',
        { rotation: rotation.id, destination: destination.name, endsByItself },
        { remedies: [wayOut(policy.name, endsByItself)] },
      );
    }
    return ledger.finish(rotation, 'failed', cancelledBy(requester), requester);
  };
  // If the rotator cannot reach the database or may not alter the logins, nobody can publish.
  const ended = await endAndDiscard(context, end, (error) => isServerAway(error) || isForbidden(error));
  if (!ended) throw superseded(rotation.id);
  return ended;
}

/** Why a rotation that is published ends by itself, and cannot be rolled back; null: it can. */
function endOf({ reason, rolledBackBy }: Rotation): 'emergency' | 'rolled-back' | null {
  if (reason === 'emergency') return 'emergency';
  return rolledBackBy === null ? null : 'rolled-back';
}

function wayOut(policy: string, endsByItself: ReturnType<typeof endOf>): Remedy {
  return endsByItself === null ? command('rollback', policy) : command('status', policy);
}

function cancelledBy({ requestedBy }: Requester): Fact<'rotation-cancelled'> {
  return fact('rotation-cancelled', { by: requestedBy });
}

async function cancelRotator(context: RotationRun, requester: Requester): Promise<Rotation> {
  const ended = await endUnset(context, { fact: cancelledBy(requester), requester });
  if (ended) return ended;
  const { policy, rotation } = context;
  const [login] = policy.logins;
  throw fault(
    'cancel-after-set',
    { rotation: rotation.id, login: String(login) },
    { remedies: [command('status', policy.name)] },
  );
}
