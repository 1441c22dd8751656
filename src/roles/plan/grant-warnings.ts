import { type Fact, fact } from '../../facts/fact.ts';
import { command, type Remedy } from '../../facts/remedy.ts';
import { revokeGlobalDefault, revokeOn } from '../../postgres/roles/grant-statements.ts';
import { privilegesOf } from '../access.ts';
import { granteesOf, type Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';
import { grantTargetOf } from './grant-changes.ts';
import { grantDifferences, grouped, wantedOn } from './grant-differences.ts';

// What keyturn does not revoke, because it was not asked to, or because it would take rights from
// others.

/** What the roles have beyond their level, where that is left. */
export function privilegesBeyondLevel(intent: Intent, current: CurrentRoles): Fact[] {
  const { policy, access } = intent;
  if (access === null) return [];
  return grantDifferences(intent, current, 'excess').map(([first, ...others]): Fact => {
    const { grantee, privileges } = first;
    const on = grantTargetOf([first.thing, ...others.map(({ thing }) => thing)]);
    const params = { grantee, privileges, on, access, policy };
    return fact('privileges-beyond-level', params, command('roles', 'repair', policy));
  });
}

/** What the logins may do in any case, because it belongs to them. */
export function levelWithoutEffect(intent: Intent, { grantables }: CurrentRoles): Fact[] {
  if (intent.access === 'owner') return [];
  return granteesOf(intent).flatMap((grantee): Fact[] => {
    const own = grantables.filter(({ owner, name }) => owner === grantee && name !== null);
    return own.length === 0 ? [] : [fact('level-without-effect', { grantee, count: own.length })];
  });
}

/**
 * What the roles will get beyond their level in every schema. To end that concerns other schemas
 * too.
 */
export function defaultPrivilegesBeyondLevel(
  intent: Intent,
  { globalDefaults, server }: CurrentRoles,
): Fact[] {
  return globalDefaults.flatMap((given): Fact[] => {
    const { grantee, kind, creator } = given;
    const wanted = privilegesOf(intent.access ?? 'none', kind, server.version);
    const privileges = given.privileges.filter((privilege) => !wanted.includes(privilege));
    if (privileges.length === 0) return [];
    const remedy = runAs(creator, revokeGlobalDefault({ ...given, privileges }));
    return [fact('default-privileges-beyond-level', { grantee, privileges, kind, creator }, remedy)];
  });
}

/** What everybody may do beyond the level, and so these logins may do it too. */
export function publicPrivileges(intent: Intent, current: CurrentRoles): Fact[] {
  const open = current.grantables.flatMap((thing) => {
    const wanted = [...wantedOn(thing, intent, current), ...(thing.kind === 'schema' ? ['USAGE'] : [])];
    const held = thing.held.filter(
      ({ grantee, privilege }) => grantee === null && !wanted.includes(privilege),
    );
    const privileges = [...new Set(held.map(({ privilege }) => privilege))];
    return privileges.length === 0 ? [] : [{ thing, privileges }];
  });
  const groups = grouped(open, ({ thing, privileges }) => [
    thing.kind,
    thing.schema,
    thing.owner,
    privileges,
  ]);
  return groups.map(([{ thing, privileges }, ...others]): Fact => {
    const things = [thing, ...others.map((other) => other.thing)] as const;
    const params = { privileges, on: grantTargetOf(things), logins: intent.logins };
    return fact('public-privileges', params, runAs(thing.owner, revokeOn(things, privileges, null)));
  });
}

function runAs(role: string, statement: string): Remedy {
  return { kind: 'sql', statements: [statement], as: role };
}
