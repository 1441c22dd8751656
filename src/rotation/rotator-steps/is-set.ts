import { fault, isFault } from '../../facts/fault.ts';
import { isPublished } from '../context/holds.ts';
import type { RotationView } from '../context/rotation-view.ts';
import { proveStaged } from '../proof/prove-login.ts';

/**
 * Whether the rotator has the password that this rotation staged. False is no proof of the
 * contrary, only that there is no harm in setting it: see pending-in-use.ts. Throws where
 * PostgreSQL was not asked, or gives another reason than the password.
 */
export async function isSet(context: RotationView): Promise<boolean> {
  if (await isPublished(context)) return true;
  // Asked first, so that PostgreSQL does not log a refused login in every rotation.
  if (!(await mayBeSet(context))) return false;
  try {
    await using _session = await proveStaged(context);
    return true;
  } catch (error) {
    if (isFault(error, 'password-refused')) return false;
    throw error;
  }
}

/**
 * Whether anybody began to set it: the ledger has that before PostgreSQL. Throws where it was set
 * for a role that is not the connection's any more, of which nothing can be found out through it.
 */
export async function mayBeSet({ ledger, connection, policy, rotation }: RotationView): Promise<boolean> {
  // Read again: the step may have begun after this run read its row.
  const row = (await ledger.find(rotation.id)) ?? rotation;
  if (row.setBegunAt === null) return false;
  const [rotator] = policy.logins;
  if (rotation.incoming === null || rotation.incoming === rotator) return true;
  throw fault('rotator-changed-since-set', {
    rotation: rotation.id,
    login: rotation.incoming,
    connection: connection.name,
    rotator: String(rotator),
  });
}
