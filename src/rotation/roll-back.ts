import type { Rotation } from '../ledger/rotation.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { readLogins } from '../postgres/logins/login.ts';
import {
  frozenLogins,
  holdsAny,
  type OpenDestination,
  type RotationContext,
} from './context/rotation-context.ts';
import { proveLogin } from './proof/prove-login.ts';
import { Refusal } from './refusal.ts';

/**
 * Turns an open rotation round: the version before becomes current again, and the incoming login is the one that is
 * drained and revoked. Only marks it so, under the policy's lock and after the old credential has logged in; the
 * worker does the rest. Throws a Refusal when there is nothing to go back to any more.
 */
export async function rollBack(context: RotationContext, by: string): Promise<Rotation> {
  const { policy, rotation } = context;
  if (policy.type === 'rotator') {
    throw new Refusal(
      `Policy ${policy.name} rotates the rotator's own password: the one before is refused already, there is no way back; rotate again: keyturn rotate ${policy.name}`,
    );
  }
  if (rotation.rolledBackBy !== null) {
    throw new Refusal(`Rotation ${rotation.id} is being rolled back already, by ${rotation.rolledBackBy}`);
  }
  if (rotation.reason === 'emergency') {
    throw new Refusal(
      `Rotation ${rotation.id} is an emergency: it takes a leaked password out of use, which must not come back`,
    );
  }
  return withPolicyLock(await context.rotator(), policy.logins, async () => {
    const published = await Promise.all(context.destinations.map((each) => holdsAny(context, each)));
    if (!published.includes(true)) {
      throw new Refusal(
        `Rotation ${rotation.id} is not published yet; stop it with: keyturn cancel ${policy.name}`,
      );
    }
    const { outgoing } = frozenLogins(context);
    const login = (await readLogins(await context.rotator(), [outgoing])).get(outgoing);
    if (!login?.canLogin) {
      throw new Refusal(
        `${outgoing} is revoked already, there is no way back; rotate again: keyturn rotate ${policy.name}`,
      );
    }
    const to = await versionBefore(context, published);
    const back = { ...rotation, rolledBackBy: by, rolledBackTo: to };
    await using _session = await proveLogin({ ...context, rotation: back });
    const turned = await context.ledger.rollBack(rotation.id, { by, to });
    if (!turned) throw new Refusal(`Rotation ${rotation.id} has ended meanwhile`);
    return turned;
  });
}

/** The token of the version that was current before, which all destinations must still have. */
async function versionBefore(context: RotationContext, published: readonly boolean[]): Promise<string> {
  const before = async (destination: OpenDestination, index: number) => {
    const version = await context.read(destination, published[index] ? 'previous' : 'current');
    if (version?.token) return version.token;
    throw new Refusal(
      `${destination.name} has no version of keyturn's to go back to; put the old credential there by hand, or rotate again`,
    );
  };
  const [to, ...others] = await Promise.all(context.destinations.map(before));
  if (to === undefined || others.some((token) => token !== to)) {
    throw new Refusal(
      `The destinations of ${context.policy.name} did not publish the same version before; put the old credential there by hand, or rotate again`,
    );
  }
  return to;
}
