import type { Rotation } from '../ledger/rotation.ts';
import { DatabaseError, isForbidden } from '../postgres/connection/database-error.ts';
import { holdsAny, type RotationContext } from './context/rotation-context.ts';
import { Refusal } from './refusal.ts';
import { endUnset } from './rotator-steps/end-unset.ts';
import { endAndTakeBack } from './take-back.ts';

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
      throw new Refusal(`${destination.name} publishes rotation ${rotation.id} already; ${wayOut(context)}`);
    }
    return ledger.finish(rotation, 'failed', `cancelled by ${by}`);
  };
  // Where the rotator does not reach the database, or may not alter the logins, nobody can hold the lock and publish.
  const isAway = (fault: unknown) =>
    (fault instanceof DatabaseError && fault.kind === 'unreachable') || isForbidden(fault);
  const ended = await endAndTakeBack(context, end, isAway);
  if (!ended) throw new Error(`Rotation ${rotation.id} was not ended`);
  return ended;
}

/** What ends a rotation that is published. */
function wayOut({ policy: { name }, rotation: { reason, rolledBackBy } }: RotationContext): string {
  if (reason === 'emergency') return `it is an emergency and ends by itself, see: keyturn status ${name}`;
  if (rolledBackBy !== null) return `it is rolled back and ends by itself, see: keyturn status ${name}`;
  return `go back with: keyturn rollback ${name}`;
}

async function cancelRotator(context: RotationContext, by: string): Promise<Rotation> {
  const ended = await endUnset(context, `cancelled by ${by}`);
  if (ended) return ended;
  const { policy, rotation } = context;
  throw new Refusal(
    `Rotation ${rotation.id} has given ${policy.logins[0]} its new password already, and the old one is refused; it can only go on, see: keyturn status ${policy.name}`,
  );
}
