import { type Fact, fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { Intent } from '../intent.ts';
import type { RolesContext } from '../roles-context.ts';
import type { CurrentRoles } from './current-roles.ts';
import {
  defaultPrivilegesBeyondLevel,
  levelWithoutEffect,
  privilegesBeyondLevel,
  publicPrivileges,
} from './grant-warnings.ts';

/** What is not as it should be, or concerns others, and is not changed. */
export async function warningsOf(
  context: RolesContext,
  intent: Intent,
  current: CurrentRoles,
  { isRepair, mayRevoke }: { readonly isRepair: boolean; readonly mayRevoke: boolean },
): Promise<Fact[]> {
  return [
    ...(isRepair ? [] : ownedByLogins(intent, await ownedObjects(context.client, intent.logins))),
    ...(intent.access === null
      ? [fact('access-never-chosen', { policy: intent.policy })]
      : [...publicPrivileges(intent, current), ...levelWithoutEffect(intent, current)]),
    ...defaultPrivilegesBeyondLevel(intent, current),
    ...(mayRevoke ? sharedLevels(intent, context) : privilegesBeyondLevel(intent, current)),
  ];
}

function ownedByLogins({ policy, owner }: Intent, owned: readonly OwnedObjects[]): Fact[] {
  if (owner === undefined) return [];
  return owned.map(
    ({ role, count }): Fact =>
      fact('objects-of-login', { role, count, owner }, command('roles', 'repair', policy)),
  );
}

/** Whom else a level concerns: an owner stands for the logins of every policy that has it. */
function sharedLevels({ owner, access, schemas }: Intent, { sharing }: RolesContext): Fact[] {
  if (access === null || owner === undefined) return [];
  return sharing.flatMap((other): Fact[] => {
    const common = schemas.filter((schema) => other.schemas.includes(schema));
    if (other.access === access || other.access === null || common.length === 0) return [];
    return [
      fact('owner-level-shared', {
        owner,
        access,
        schemas: common,
        otherPolicy: other.policy,
        otherAccess: other.access,
      }),
    ];
  });
}
