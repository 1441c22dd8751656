import { PasswordRefused } from '../password-refused.ts';
import { proveLogin } from '../prove-login.ts';
import { isPublished, type RotationContext } from '../rotation-context.ts';

/**
 * Whether the rotator has the password that this rotation staged. False is no proof of the contrary, only that there is no harm
 * in setting it: see pending-in-use.ts. Throws where PostgreSQL was not asked, or gives another reason than the password.
 */
export async function isSet(context: RotationContext): Promise<boolean> {
  if (await isPublished(context)) return true;
  // Asked first, so that a rotation does not leave a refused login in PostgreSQL's log every time.
  if (!(await mayBeSet(context))) return false;
  try {
    await using _session = await proveLogin(context);
    return true;
  } catch (error) {
    if (error instanceof PasswordRefused) return false;
    throw error;
  }
}

/** Whether anybody began to set it: the ledger has that before PostgreSQL. */
export async function mayBeSet({ ledger, rotation }: RotationContext): Promise<boolean> {
  return (await ledger.events([rotation.id])).some(({ step }) => step === 'set');
}
