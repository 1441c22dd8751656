import type { Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import type { Rotation } from '../../ledger/rotation.ts';

/** The logins of a rotation. A rotator has no second login, so none goes out. */
export interface RotationLogins {
  readonly incoming: string;
  readonly outgoing: string | null;
}

/** Those of a policy of two logins. */
export interface LoginPair extends RotationLogins {
  readonly outgoing: string;
}

interface Whose {
  readonly policy: Policy;
  readonly rotation: Rotation;
}

/**
 * The logins that `check` resolved. They do not change while the rotation lasts, but change places
 * on its way back. Throws a fault unless they are the policy's two: the ledger says what to do
 * next, never to whom.
 */
export function frozenLogins({ policy, rotation }: Whose): LoginPair {
  const { incoming, outgoing } = rotation;
  if (incoming === null || outgoing === null) {
    throw new Error(`Rotation ${rotation.id} has no logins yet, though a step after check runs`);
  }
  if (!areOfPolicy({ policy, rotation })) {
    throw fault('ledger-names-other-logins', {
      rotation: rotation.id,
      incoming,
      outgoing,
      policy: policy.name,
      logins: policy.logins,
    });
  }
  return rotation.rolledBackTo === null ? { incoming, outgoing } : { incoming: outgoing, outgoing: incoming };
}

/** The logins of a rotation of any policy; see `frozenLogins`. */
export function loginsOf({ policy, rotation }: Whose): RotationLogins {
  if (policy.type === 'logins') return frozenLogins({ policy, rotation });
  return { incoming: policy.logins[0], outgoing: null };
}

/** The login that gets a new password, or on the way back the one that has its old one again. */
export function incomingLogin(whose: Whose): string {
  return loginsOf(whose).incoming;
}

/** Whether the ledger has a rotation bring in one of the policy's logins for the other. */
export function areOfPolicy({ policy: { logins }, rotation: { incoming, outgoing } }: Whose): boolean {
  return incoming !== outgoing && [incoming, outgoing].every((login) => logins.some((own) => own === login));
}
