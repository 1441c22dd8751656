import { timingSafeEqual } from 'node:crypto';
import { withPolicyLock } from '../../postgres/policy-lock.ts';
import { lockOf } from '../lock-of.ts';
import { proveLogin } from '../prove-login.ts';
import {
  type Credential,
  holds,
  incomingLogin,
  type OpenDestination,
  type RotationContext,
  stagedCredential,
  tokenOf,
} from '../rotation-context.ts';
import type { Step } from '../step.ts';
import { refuseSuperseded } from '../superseded.ts';

/** Makes the staged version current everywhere, the primary last, and reads each back. */
export const publish: Step = {
  name: 'publish',
  async isDone(context) {
    for (const destination of context.destinations) {
      if (!(await holds(context, destination, 'current'))) return false;
    }
    return context.rotation.publishedAt !== null;
  },
  async run(context) {
    const credential = await stagedCredential(context);
    const client = await context.rotator();
    // Under the lock that `set` needs: nobody can give the login another password between this proof and the promotion.
    await withPolicyLock(client, lockOf(context), async (lock) => {
      await refuseSuperseded(context);
      await using _session = await proveLogin(context);
      for (const destination of context.destinations.toReversed()) {
        // A process that was stopped in between finds out here that others have gone on without it.
        await lock.confirm();
        await destination.store.promote(destination.secrets, tokenOf(context), {
          back: context.rotation.rolledBackTo !== null,
        });
        context.forget();
        await readBack(context, destination, credential);
      }
    });
    context.rotation = await context.ledger.published(context.rotation.id);
    return undefined;
  },
  async describe(context) {
    const where = context.destinations.toReversed().map(({ name }) => name);
    return `makes ${incomingLogin(context)} current in ${where.join(', then ')}, and reads it back`;
  },
};

async function readBack(
  context: RotationContext,
  destination: OpenDestination,
  credential: Credential,
): Promise<void> {
  const version = await context.read(destination, 'current');
  const told = version?.fields ?? {};
  const right =
    version?.token === tokenOf(context) &&
    (told.username === undefined || equal(told.username, credential.username)) &&
    (told.password === undefined || equal(told.password, credential.password)) &&
    (await holds(context, destination, 'current'));
  if (!right) throw new Error(`${destination.name} does not give back what was published; it is tried again`);
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
