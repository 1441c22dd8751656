import type { Publication } from '../../ledger/last-published.ts';
import { incomingLogin, type OpenDestination, type RotationContext } from '../context/rotation-context.ts';
import type { OutsideChange } from './outside-changes.ts';

/**
 * What somebody else did to what the primary publishes of the rotator. It has logged in all the same, so nobody waits for
 * that credential; only what is another login's is not replaced unasked.
 */
export async function rotatorOutsideChange(
  context: RotationContext,
  primary: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const rotator = incomingLogin(context);
  const current = await context.read(primary, 'current');
  if (!current) {
    if (!last) return undefined;
    return {
      found: `${primary.name} publishes nothing any more`,
      instead: null,
      effect: 'this rotation fills it',
    };
  }
  const { username } = current.fields;
  if (username !== rotator) {
    const name = username === undefined ? 'missing' : JSON.stringify(username);
    return {
      found: `The published username is ${name}, which is not the rotator ${rotator}`,
      instead: "correct the secret, or the policy's connection",
      effect: 'replaces it',
    };
  }
  if (!last || (current.token !== undefined && last.tokens.includes(current.token) && !current.edited)) {
    return undefined;
  }
  const found = `${primary.name} was changed outside keyturn`;
  return { found, instead: null, effect: 'this rotation replaces what it publishes' };
}
