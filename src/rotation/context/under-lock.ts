import { type PolicyLock, type PolicyLockTarget, withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import { refuseSuperseded } from '../refusals/refuse-superseded.ts';
import type { RotationContext } from './rotation-context.ts';

/**
 * Runs `body` under the lock of a rotation's policy. The stores are read again there, since others
 * may have changed them. Throws a fault `rotation-superseded` where somebody else ended the
 * rotation or turned it round: who does that holds this lock too.
 */
export async function underLock<Result>(
  context: RotationContext,
  body: (lock: PolicyLock) => Promise<Result>,
  target: PolicyLockTarget = lockOf(context),
): Promise<Result> {
  return withPolicyLock(await context.rotator(), target, async (lock) => {
    await refuseSuperseded(context);
    context.forget();
    return body(lock);
  });
}

/**
 * The lock of a rotation's policy. An emergency does not wait for a worker that was stopped while
 * it held it.
 */
export function lockOf({ policy, rotation }: Pick<RotationContext, 'policy' | 'rotation'>): PolicyLockTarget {
  return { logins: policy.logins, fence: rotation.reason === 'emergency' };
}
