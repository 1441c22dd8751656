import { DatabaseError } from '../../postgres/database-error.ts';
import { proveLogin } from '../prove-login.ts';
import { Refusal } from '../refusal.ts';
import { isPublished, type RotationContext } from '../rotation-context.ts';

/**
 * Whether the rotator has the password that this rotation staged. From then on that is the only way in, and must not be
 * discarded. Throws where it cannot be found out.
 */
export async function isSet(context: RotationContext): Promise<boolean> {
  if (await isPublished(context)) return true;
  // Asked first, so that a rotation does not leave a refused login in PostgreSQL's log every time.
  if (!(await mayBeSet(context))) return false;
  try {
    await using _session = await proveLogin(context);
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === 'authentication') return false;
    // There is nothing staged that could be lost.
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Whether anybody began to set it: the ledger has that before PostgreSQL. */
export async function mayBeSet({ ledger, rotation }: RotationContext): Promise<boolean> {
  return (await ledger.events([rotation.id])).some(({ step }) => step === 'set');
}
