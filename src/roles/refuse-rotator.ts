import type { LoginsPolicy, Policy } from '../config/policy.ts';
import { RequestError } from './request-error.ts';

/** Throws a RequestError for a rotator's policy: its login is not one of the roles that a rotator makes. */
export function refuseRotator(policy: Policy): asserts policy is LoginsPolicy {
  if (policy.type === 'logins') return;
  const { name, connection } = policy;
  throw new RequestError(
    `Policy ${name} is of type rotator: an administrator makes its login, by what this prints: keyturn roles rotator ${connection}`,
  );
}
