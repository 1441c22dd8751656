import type { PolicyLockTarget } from '../../postgres/locks/policy-lock.ts';
import type { RotationContext } from './rotation-context.ts';

/**
 * The lock of a rotation's policy. An emergency does not wait for a worker that was stopped while
 * it held it.
 */
export function lockOf({ policy, rotation }: Pick<RotationContext, 'policy' | 'rotation'>): PolicyLockTarget {
  return { logins: policy.logins, fence: rotation.reason === 'emergency' };
}
