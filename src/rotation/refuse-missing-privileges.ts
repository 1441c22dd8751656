import { missingPrivileges, readServer } from '../postgres/rotator.ts';
import { mayTerminate } from './may-terminate.ts';
import { Refusal } from './refusal.ts';
import type { RotationContext } from './rotation-context.ts';

/** Throws a Refusal that names every right that the rotator lacks for this rotation, and the statement that gives it. */
export async function refuseMissingPrivileges(context: RotationContext): Promise<void> {
  const { policy } = context;
  const client = await context.rotator();
  const missing = await missingPrivileges(client, policy.logins, {
    mayTerminate: mayTerminate(context),
  });
  if (missing.length === 0) return;
  const { rotator } = await readServer(client);
  throw new Refusal(
    `The rotator ${rotator} may not ${missing.map(({ what }) => what).join(', nor ')}; run: ${missing.map(({ remedy }) => remedy).join('; ')}`,
  );
}
