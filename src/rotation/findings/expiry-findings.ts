import type { Policy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import { neverExpire } from '../../postgres/roles/role-statements.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/** Where no rotation comes by itself, an expiry within so many days is a finding. */
const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Logins whose VALID UNTIL is over before the next rotation has drained, or is not the other's: no
 * rotation moves it, and consumers would be refused from then on. `askDue` tells that rotation's
 * slot in milliseconds since the epoch; undefined: it rotates only when asked. It is called only
 * where a login has a VALID UNTIL.
 */
export async function expiryFindings(
  { policy, survey, clock }: PolicyView,
  askDue: () => Promise<number | undefined>,
): Promise<Finding[]> {
  const { logins } = await survey();
  const found = policy.logins.flatMap((name) => logins.get(name) ?? []);
  if (found.every(({ validUntil }) => validUntil === null)) return [];
  const due = await askDue();
  const end = due === undefined ? clock.now() + SOON_DAYS * DAY_MS : due + drainOf(policy);
  const about = policy.type === 'rotator' ? 'rotator' : 'logins';
  return found.flatMap(({ name: login, expired, validUntil }): Finding[] => {
    // A login that has expired already has a finding of its own.
    if (expired || validUntil === null) return [];
    const expiry = { login, validUntil: validUntil.toISOString() };
    const remedy = sql(neverExpire(login));
    if (validUntil.getTime() < end) {
      const early =
        due === undefined
          ? fact('login-expires-soon', { ...expiry, days: SOON_DAYS }, remedy)
          : fact('login-expires-before-drained', { ...expiry, slot: new Date(due).toISOString() }, remedy);
      return [finding('warn', about, early)];
    }
    const isAlone = found.some((other) => other.validUntil?.getTime() !== validUntil.getTime());
    return isAlone ? [finding('warn', about, fact('login-expires-alone', expiry, remedy))] : [];
  });
}

/** How long the outgoing login may be in use; a rotator has none. */
function drainOf(policy: Policy): number {
  return policy.type === 'logins' ? policy.drain.timeout : 0;
}
