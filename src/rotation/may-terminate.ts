import type { LoginsPreview } from './context/rotation-view.ts';

/**
 * Whether sessions that outstay the drain are ended: the policy says so, or the password leaked.
 */
export function mayTerminate({ policy, reason }: Pick<LoginsPreview, 'policy' | 'reason'>): boolean {
  return policy.drain.onTimeout === 'terminate' || reason === 'emergency';
}
