import type { Policy } from '../../config/policy.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { neverExpire } from '../../postgres/roles/role-statements.ts';
import type { RotationView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/** How near an expiry is that is told where no rotation comes by itself, in days. */
const SOON = 30;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Logins whose VALID UNTIL is over before the next rotation has drained, or is not the other's: no rotation moves it, and
 * consumers would be refused from then on. `due` is that rotation's slot in milliseconds since the epoch; undefined: only when asked.
 */
export async function expiryFindings(
  { policy, rotator, clock }: RotationView,
  due: number | undefined,
): Promise<Finding[]> {
  const logins = await readLogins(await rotator(), policy.logins);
  const end = due === undefined ? clock.now() + SOON * DAY_MS : due + drainOf(policy);
  const before =
    due === undefined
      ? `in less than ${SOON} days`
      : `before the rotation of ${new Date(due).toISOString()} has drained`;
  const found = policy.logins.flatMap((name) => logins.get(name) ?? []);
  return found.flatMap(({ name, expired, validUntil }): Finding[] => {
    // One that is over already is told as what it is.
    if (expired || validUntil === null) return [];
    const until = validUntil.toISOString();
    const isOwn = found.some((other) => other.validUntil?.getTime() !== validUntil.getTime());
    if (validUntil.getTime() >= end && !isOwn) return [];
    const text =
      validUntil.getTime() < end
        ? `nobody can log in as ${name} after its VALID UNTIL, ${until}, which is over ${before}`
        : `only ${name} has VALID UNTIL ${until}: what works for one login is refused to the other one day`;
    const about = policy.type === 'rotator' ? 'rotator' : 'logins';
    return [{ level: 'warn', about, text, sql: [neverExpire(name)] }];
  });
}

/** How long the outgoing login may be in use; a rotator has none. */
function drainOf(policy: Policy): number {
  return policy.type === 'logins' ? policy.drain.timeout : 0;
}
