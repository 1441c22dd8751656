import { loginFields } from '../login-fields.ts';
import { generatePassword } from '../password.ts';
import { otherPendingParts } from '../pending-parts.ts';
import { holds, incomingLogin, type OpenDestination, type RotationContext } from '../rotation-context.ts';
import type { Step } from '../step.ts';

/** Makes the password and keeps it in the stores, as `pending`, before anything in PostgreSQL changes. */
export const stage: Step = {
  name: 'stage',
  async isDone(context) {
    for (const destination of context.destinations) {
      if (!(await isStaged(context, destination))) return false;
    }
    return true;
  },
  async run(context) {
    const incoming = incomingLogin(context);
    // The primary comes first: whether it has the version decides whether there is a password already.
    for (const destination of context.destinations) {
      if (await holds(context, destination, 'current')) continue;
      await discardLeftover(context, destination);
      const password = (await stagedPassword(context)) ?? generatePassword(context.policy.password);
      const fields = loginFields(destination.secrets, context.connection, { username: incoming, password });
      await destination.store.stage(destination.secrets, context.rotation.id, fields, {
        create: destination.create,
      });
      context.forget();
      if (await isStaged(context, destination)) continue;
      throw new Error(`${destination.name} does not give back all that was staged; it is tried again`);
    }
    return undefined;
  },
  async describe({ policy, destinations }) {
    const where = destinations.map(({ name }) => name).join(' and ');
    return `makes a password of ${policy.password.length} characters and stages it as pending in ${where}`;
  },
};

async function isStaged(context: RotationContext, destination: OpenDestination): Promise<boolean> {
  return (await holds(context, destination, 'current')) || (await holds(context, destination, 'pending'));
}

async function stagedPassword(context: RotationContext): Promise<string | undefined> {
  const primary = context.destinations[0];
  for (const label of ['current', 'pending'] as const) {
    const version = await context.read(primary, label);
    if (version?.token === context.rotation.id && version.fields.password) return version.fields.password;
  }
  return undefined;
}

// `check` let only versions of our own, closed rotations pass, and with --adopt those of others.
async function discardLeftover(context: RotationContext, destination: OpenDestination): Promise<void> {
  for (const { mapping, token } of await otherPendingParts(context, destination)) {
    await destination.store.discard(mapping, token);
    context.forget();
  }
}
