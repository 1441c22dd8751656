import { fault } from '../../facts/fault.ts';
import type { Remedy } from '../../facts/remedy.ts';
import { refuseMissingRights } from '../missing-rights.ts';
import type { RolesContext } from '../roles-context.ts';
import { runPrinted } from '../superuser-changes.ts';
import type { RolesPlan } from './roles-plan.ts';

type Kind = 'create' | 'repair' | 'restore';

/** Throws a fault that names every right that the rotator lacks to make the changes of a plan. */
export async function refuseMissingPlanRights(
  context: RolesContext,
  plan: RolesPlan,
  kind: Kind,
): Promise<void> {
  const { policy, client } = context;
  const { server, standings } = plan.current;
  if (server.standby) throw fault('roles-on-standby-server', { connection: policy.connection });
  await refuseMissingRights(client, {
    changes: plan.changes,
    logins: policy.logins,
    mayTerminate: policy.drain.onTimeout === 'terminate',
    server,
    standings,
    bySuperuser: printedPlan(context, plan, kind),
  });
}

/** The command with which a superuser makes the changes of a plan. */
export function printedPlan(
  { policy, ...context }: RolesContext,
  { intent }: Pick<RolesPlan, 'intent'>,
  kind: Kind,
): Remedy {
  const requested =
    intent.access === null
      ? []
      : ['--access', intent.access, ...intent.schemas.flatMap((schema) => ['--schema', schema])];
  const words = kind === 'restore' ? ['restore', policy.name] : ['roles', kind, policy.name, ...requested];
  return runPrinted(words, context);
}
