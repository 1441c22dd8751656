import { fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import type { Requester } from '../ledger/audit/requester.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { superseded } from '../ledger/superseded.ts';
import { withPolicyLock } from '../postgres/locks/policy-lock.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { holdsAny } from './context/holds.ts';
import type { OpenDestination } from './context/policy-view.ts';
import { frozenLogins } from './context/rotation-logins.ts';
import type { RotationRun, RotationView } from './context/rotation-view.ts';
import { proveStaged } from './proof/prove-login.ts';

/**
 * Turns an open rotation round: the version before becomes current again, and the incoming login is
 * the one that is drained and revoked. Only marks it so, under the policy's lock and after the old
 * credential has logged in; the worker does the rest. Throws a fault when there is nothing to go
 * back to any more.
 */
export async function rollBack(context: RotationRun, requester: Requester): Promise<Rotation> {
  const { policy, rotation } = context;
  refuseOneWay(context);
  return withPolicyLock(await context.rotator(), policy.logins, async () => {
    const published = await Promise.all(context.destinations.map((each) => holdsAny(context, each)));
    if (!published.includes(true)) {
      throw fault(
        'rollback-before-publish',
        { rotation: rotation.id },
        { remedies: [command('cancel', policy.name)] },
      );
    }
    const { outgoing } = frozenLogins(context);
    const login = (await readLogins(await context.rotator(), [outgoing])).get(outgoing);
    if (!login?.canLogin) {
      throw fault(
        'rollback-after-revoke',
        { login: outgoing },
        { remedies: [command('rotate', policy.name)] },
      );
    }
    const to = await versionBefore(context, published);
    const back = { ...rotation, rolledBackBy: requester.requestedBy, rolledBackTo: to };
    await using _session = await proveStaged({ ...context, rotation: back });
    const turned = await context.ledger.rollBack(rotation.id, { ...requester, to });
    if (!turned) throw superseded(rotation.id);
    return turned;
  });
}

/** Throws where a rotation has no way back, wherever it is. */
function refuseOneWay({ policy, rotation }: Pick<RotationView, 'policy' | 'rotation'>): void {
  if (policy.type === 'rotator') {
    const remedies = [command('rotate', policy.name)];
    throw fault('rollback-of-rotator', { policy: policy.name }, { remedies });
  }
  if (rotation.rolledBackBy !== null) {
    throw fault('rollback-begun-already', { rotation: rotation.id, by: rotation.rolledBackBy });
  }
  if (rotation.reason === 'emergency') throw fault('rollback-of-emergency', { rotation: rotation.id });
}

/** The token of the version that was current before, which all destinations must still have. */
async function versionBefore(context: RotationRun, published: readonly boolean[]): Promise<string> {
  const before = async (destination: OpenDestination, index: number) => {
    const version = await context.read(destination, published[index] ? 'previous' : 'current');
    if (version?.token) return version.token;
    throw fault('rollback-without-version', { destination: destination.name });
  };
  const [to, ...others] = await Promise.all(context.destinations.map(before));
  if (to === undefined || others.some((token) => token !== to)) {
    throw fault('rollback-to-different-versions', { policy: context.policy.name });
  }
  return to;
}
