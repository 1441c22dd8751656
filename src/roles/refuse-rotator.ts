import type { Policy } from '../config/policy.ts';
import { RequestError } from './request-error.ts';

/** Throws a RequestError for a rotator's policy: its login is not one of the roles that a rotator makes. */
export function refuseRotator({ name, type, connection }: Policy): void {
  if (type !== 'rotator') return;
  throw new RequestError(
    `Policy ${name} is of type rotator: an administrator makes its login, by what this prints: keyturn roles rotator ${connection}`,
  );
}
