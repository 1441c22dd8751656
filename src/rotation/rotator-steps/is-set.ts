import { isPublished, type RotationContext } from '../context/rotation-context.ts';
import { PasswordRefused } from '../proof/password-refused.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { Refusal } from '../refusal.ts';

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

/**
 * Whether anybody began to set it: the ledger has that before PostgreSQL. Throws a Refusal where it was set for a role that is
 * not the connection's any more, of which nothing can be found out through it.
 */
export async function mayBeSet({ ledger, connection, policy, rotation }: RotationContext): Promise<boolean> {
  if (!(await ledger.events([rotation.id])).some(({ step }) => step === 'set')) return false;
  const [rotator] = policy.logins;
  if (rotation.incoming === null || rotation.incoming === rotator) return true;
  throw new Refusal(
    `Rotation ${rotation.id} may have given ${rotation.incoming} a new password, and connection ${connection.name} logs in as ${rotator} by now; give it the user ${rotation.incoming} back until that is done`,
  );
}
