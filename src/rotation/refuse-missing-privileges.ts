import { missingPrivileges, readServer } from '../postgres/rotator.ts';
import { Refusal } from './refusal.ts';
import type { RotationContext } from './rotation-context.ts';

/** Throws a Refusal that names every right that the rotator lacks for this rotation, and the statement that gives it. */
export async function refuseMissingPrivileges(context: RotationContext): Promise<void> {
  const { policy, rotation } = context;
  const client = await context.rotator();
  const missing = await missingPrivileges(client, policy.logins, {
    mayTerminate: policy.drain.onTimeout === 'terminate' || rotation.reason === 'emergency',
  });
  if (missing.length === 0) return;
  const { rotator } = await readServer(client);
  throw new Refusal(
    `The rotator ${rotator} may not ${missing.map(({ what }) => what).join(', nor ')}; run: ${missing.map(({ remedy }) => remedy).join('; ')}`,
  );
}
