import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { credentialIn } from '../../formats/told-by.ts';
import type { Fields } from '../../secret-store/secret-store.ts';
import { holds, isStaged } from '../context/holds.ts';
import { loginFields } from '../context/login-fields.ts';
import type { OpenDestination } from '../context/policy-view.ts';
import { incomingLogin } from '../context/rotation-logins.ts';
import type { RotationRun, RotationView } from '../context/rotation-view.ts';
import { findStaged } from '../context/staged-credential.ts';
import { otherPendingParts } from '../outside-changes/pending-parts.ts';
import { generatePassword } from '../password.ts';
import { replaced } from '../refusals/refuse-replaced.ts';
import { refuseSuperseded } from '../refusals/refuse-superseded.ts';
import type { Step } from '../step.ts';

/**
 * Makes the password and keeps it in the stores, as `pending`, before anything in PostgreSQL
 * changes.
 */
export const stage: Step = {
  name: 'stage',
  async isDone(context) {
    for (const destination of context.destinations) {
      if (!(await isStaged(context, destination))) return false;
    }
    return true;
  },
  async run(context) {
    // Under the lock: else a worker that wakes up could discard what the next rotation staged.
    await context.underLock(async () => {
      // The primary comes first: whether any has the version decides whether there is a password
      // already.
      for (const [index, destination] of context.destinations.entries()) {
        if (index > 0) await refuseSuperseded(context);
        await stageIn(context, destination);
      }
    });
    return undefined;
  },
  async describe({ policy, destinations }) {
    return fact('plan-stage', {
      length: policy.password.length,
      destinations: destinations.map(({ name }) => name),
    });
  },
};

async function stageIn(context: RotationRun, destination: OpenDestination): Promise<void> {
  if (await holds(context, destination, 'current')) return;
  await discardLeftover(context, destination);
  const username = incomingLogin(context);
  const password = (await stagedPassword(context)) ?? generatePassword(context.policy.password);
  const token = context.rotation.id;
  const before = await stillUsed(context, destination);
  const fields = loginFields({ ...context, destination, token, before }, { username, password });
  await context.secrets.stage(destination, token, fields);
  await refuseRetired(context, destination, password);
  if (await isStaged(context, destination)) return;
  throw fault('store-does-not-give-back', { destination: destination.name, stage: 'pending' });
}

/** What consumers use until the drain ends. In an emergency the login before must not go on. */
async function stillUsed(context: RotationRun, destination: OpenDestination): Promise<Fields | undefined> {
  const current = await context.read(destination, 'current');
  return context.reason === 'emergency' ? undefined : current?.fields;
}

/**
 * Throws where the store already had another password under this rotation's token, at no stage: the
 * rotation was published long ago, and the ledger was restored from a backup. No older password
 * comes back.
 */
async function refuseRetired(
  context: RotationRun,
  destination: OpenDestination,
  password: string,
): Promise<void> {
  const pending = await context.read(destination, 'pending');
  const staged = credentialIn(pending?.fields ?? {})?.password;
  if (staged === undefined || staged === password) return;
  throw fault('staged-version-retired', { destination: destination.name, version: context.rotation.id });
}

/**
 * The staged password, even if only one secret of one destination has it. Throws where the version
 * was current before: another one was published since, though the ledger does not know it.
 */
async function stagedPassword(context: RotationView): Promise<string | undefined> {
  for (const destination of context.destinations) {
    const before = await context.read(destination, 'previous');
    if (before?.token === context.rotation.id) {
      const { outgoing, policy } = context.rotation;
      throw replaced({ destination: destination.name, outgoing, policy });
    }
    for (const label of ['current', 'pending'] as const) {
      const version = await context.read(destination, label);
      if (version?.token !== context.rotation.id) continue;
      const password = version.fields.password ?? credentialIn(version.fields)?.password;
      if (password) return password;
    }
  }
  return (await findStaged(context))?.password;
}

// `check` let only versions of our own, closed rotations pass, and with --adopt those of others.
async function discardLeftover(context: RotationRun, destination: OpenDestination): Promise<void> {
  for (const { mapping, token } of await otherPendingParts(context, destination)) {
    await context.secrets.discard(destination, mapping, token);
  }
}
