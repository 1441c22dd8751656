import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import type { Credential } from '../../formats/told-by.ts';
import type { PolicyLock } from '../../postgres/locks/policy-lock.ts';
import { holds, tokenOf } from '../context/holds.ts';
import type { OpenDestination } from '../context/policy-view.ts';
import type { RotationRun } from '../context/rotation-view.ts';
import { stagedCredential } from '../context/staged-credential.ts';
import { tells } from '../context/tells.ts';
import { withProvenLogin } from '../proof/proven-login.ts';
import { refuseSuperseded } from '../refusals/refuse-superseded.ts';
import type { Step } from '../step.ts';

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
    // The ledger was asked right before, if this step began under the lock.
    const isAsked = context.held !== undefined;
    // Under the lock that `set` needs: nobody can give the login another password between this
    // proof and the promotion.
    await withProvenLogin(context, 'publish', { act: (lock) => promote(context, lock, { isAsked }) });
    return { published: true };
  },
  async describe(context, { incoming }) {
    const destinations = context.destinations.toReversed().map(({ name }) => name);
    return fact('plan-publish', { login: incoming, destinations });
  },
};

async function promote(
  context: RotationRun,
  lock: PolicyLock,
  { isAsked }: { readonly isAsked: boolean },
): Promise<void> {
  const credential = await stagedCredential(context);
  const back = context.rotation.rolledBackTo !== null;
  const confirm = () => lock.confirm();
  for (const [index, destination] of context.destinations.toReversed().entries()) {
    // Checked right before: a worker that was stopped has lost the lock, and others have gone on.
    await confirm();
    if (index > 0 || !isAsked) await refuseSuperseded(context);
    await context.secrets.promote(destination, tokenOf(context), { back, confirm });
    await readBack(context, destination, credential);
  }
}

async function readBack(
  context: RotationRun,
  destination: OpenDestination,
  credential: Credential,
): Promise<void> {
  const version = await context.read(destination, 'current');
  const right =
    version?.token === tokenOf(context) &&
    tells(version.fields, credential) &&
    (await holds(context, destination, 'current'));
  if (right) return;
  throw fault('store-does-not-give-back', { destination: destination.name, stage: 'current' });
}
