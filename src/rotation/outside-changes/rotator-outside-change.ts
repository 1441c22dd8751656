import { fact } from '../../facts/fact.ts';
import { usernameIn } from '../../formats/told-by.ts';
import type { Publication } from '../../ledger/publications/last-published.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import type { OutsideChange } from './outside-changes.ts';

/**
 * What somebody else did to what the primary publishes of the rotator. The rotator has logged in
 * all the same, so nobody waits for that credential; only a secret of another login is not replaced
 * unasked.
 */
export async function rotatorOutsideChange(
  preview: PolicyView,
  primary: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const rotator = preview.policy.logins[0];
  const current = await preview.read(primary, 'current');
  const which = { destination: primary.name };
  if (!current) {
    if (!last) return undefined;
    return { found: fact('rotator-secret-emptied', which), stops: false, effect: fact('effect-fills', {}) };
  }
  const effect = fact('effect-replaces', {});
  const username = usernameIn(current.fields) ?? null;
  if (username !== rotator) {
    return { found: fact('published-username-not-rotator', { username, rotator }), stops: true, effect };
  }
  if (!last || (current.token !== undefined && last.tokens.includes(current.token) && !current.edited)) {
    return undefined;
  }
  return { found: fact('rotator-secret-changed', which), stops: false, effect };
}
