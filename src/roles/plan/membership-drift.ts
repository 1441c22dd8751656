import { fact } from '../../facts/fact.ts';
import type { Login } from '../../postgres/logins/login.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { grantMembership, revokeMembership } from '../../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../../postgres/roles/with-options.ts';
import type { Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';
import type { RepairContext } from './repair-context.ts';

/**
 * Besides the owner, the standby belongs to the roles that the published login belongs to, and to
 * no other.
 */
export function foreignMemberships(
  { logins, owner }: Intent,
  current: CurrentRoles,
  { published }: RepairContext,
): Change[] {
  const model = published === undefined ? undefined : current.logins.get(published);
  const standby = current.logins.get(logins.find((login) => login !== published) ?? '');
  if (!model || !standby) return [];
  const only = (one: Login, other: Login) =>
    one.memberOf.filter((role) => role !== owner && !other.memberOf.includes(role));
  const options = { options: current.server.version >= WITH_OPTIONS };
  return [
    ...only(model, standby).map((role) => ({
      does: fact('copy-membership', { role, member: standby.name, like: model.name }),
      sql: grantMembership(role, standby.name, options),
      administers: [role],
    })),
    ...only(standby, model).map((role) => {
      const given = current.memberships.filter((one) => one.role === role && one.member === standby.name);
      return {
        does: fact('revoke-membership', { role, member: standby.name, unlike: model.name }),
        sql: given.map(revokeMembership).join('; '),
        rights: given.flatMap(({ grantor }) => grantor ?? []),
      };
    }),
  ];
}
