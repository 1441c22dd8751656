import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { refuseMissingRights } from '../missing-rights.ts';
import type { RolesContext } from '../roles-context.ts';
import { shellWord } from '../shell-word.ts';
import type { RolesPlan } from './roles-plan.ts';

/** Throws a fault that names every right that the rotator lacks to make the changes of a plan. */
export async function refuseMissingPlanRights(
  { policy, client }: RolesContext,
  { changes, intent, current }: RolesPlan,
  kind: 'create' | 'repair' | 'restore',
): Promise<void> {
  const { server, standings, database } = current;
  if (server.standby) throw fault('roles-on-standby-server', { connection: policy.connection });
  const requested =
    intent.access === null
      ? []
      : ['--access', intent.access, ...intent.schemas.flatMap((schema) => ['--schema', schema])];
  const verb = kind === 'restore' ? ['restore', policy.name] : ['roles', kind, policy.name, ...requested];
  const print = [...verb, '--sql'].map(shellWord);
  await refuseMissingRights(client, {
    changes,
    logins: policy.logins,
    mayTerminate: policy.drain.onTimeout === 'terminate',
    server,
    standings,
    bySuperuser: command(...print, '|', 'psql', '-d', shellWord(database.name)),
  });
}
