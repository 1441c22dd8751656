import type { LoginsPolicy, Policy } from '../config/policy.ts';
import { fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';

/**
 * Throws a fault for a rotator policy: its login is not one of the roles that a rotator creates.
 */
export function refuseRotator(policy: Policy): asserts policy is LoginsPolicy {
  if (policy.type === 'logins') return;
  const { name, connection } = policy;
  const remedies = [command('roles', 'rotator', connection)];
  throw fault('rotator-policy-without-roles', { policy: name }, { remedies });
}
