import type { LoginsView } from './context/rotation-context.ts';

/**
 * Whether sessions that outstay the drain are ended: the policy says so, or the password leaked.
 */
export function mayTerminate({ policy, rotation }: LoginsView): boolean {
  return policy.drain.onTimeout === 'terminate' || rotation.reason === 'emergency';
}
