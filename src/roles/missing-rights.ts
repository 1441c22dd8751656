import type { MissingPrivilege } from '../postgres/connection/rotator.ts';
import type { Change } from '../postgres/roles/change.ts';
import { allowCreateRole, grantAdmin, inheritRights } from '../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../postgres/roles/with-options.ts';
import type { World } from './world.ts';

/**
 * What the rotator lacks to carry out these changes, each with what gives it. Roles that it makes itself it may alter
 * and lend itself. `otherwise` is what an administrator can do where nobody can give it that.
 */
export function missingRights(
  changes: readonly Change[],
  { standings, server }: Pick<World, 'standings' | 'server'>,
  { to, otherwise }: { readonly to: string; readonly otherwise: string },
): MissingPrivilege[] {
  const admin = (role: string) =>
    server.version < WITH_OPTIONS ? allowCreateRole(to) : grantAdmin(role, to);
  const lookUp = (roles: readonly string[] = []) => roles.flatMap((role) => standings.get(role) ?? []);
  const refusedTo = ({ rights, instead }: Change) =>
    instead ? undefined : lookUp(rights).find((role) => role.rights === 'never');
  const superuser = changes.flatMap((change) => refusedTo(change) ?? [])[0];
  if (superuser) {
    // Who runs all of it for the rotator need not give it anything.
    return [{ what: `act for ${superuser.name}, which is a superuser`, remedy: otherwise }];
  }
  const missing = changes.flatMap(({ rights, administers, instead }): MissingPrivilege[] => {
    const refused = lookUp(rights).find((role) => !['had', 'borrowable'].includes(role.rights));
    if (refused && instead) return [{ what: instead.what, remedy: instead.remedy(to) }];
    if (refused?.rights === 'not inherited') {
      const remedy = inheritRights(refused.name, to, server.version);
      return [{ what: `use the rights of ${refused.name}`, remedy }];
    }
    if (refused) return [{ what: `act for ${refused.name}`, remedy: admin(refused.name) }];
    const unadministered = lookUp(administers).find((role) => !role.administered);
    if (server.version < WITH_OPTIONS || !unadministered) return [];
    return [{ what: `make members of ${unadministered.name}`, remedy: admin(unadministered.name) }];
  });
  return [...new Map(missing.map((one) => [one.remedy, one])).values()];
}
