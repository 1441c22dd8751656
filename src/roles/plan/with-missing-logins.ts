import type { Login } from '../../postgres/logins/login.ts';
import type { Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';

/** The roles as they will be once the missing logins are created. */
export function withMissingLogins({ logins, owner }: Intent, current: CurrentRoles): CurrentRoles {
  const made = logins
    .filter((name) => !current.logins.has(name))
    .map(
      (name): Login => ({
        name,
        canLogin: false,
        superuser: false,
        attributes: [],
        connectionLimit: -1,
        memberOf: owner === undefined ? [] : [owner],
        canBecome: owner === undefined ? [] : [owner],
        settings: [],
        defaultRole: owner ?? null,
        hasDefaultRoleHere: false,
        expired: false,
        validUntil: null,
        mayConnect: true,
      }),
    );
  return {
    ...current,
    logins: new Map([...current.logins, ...made.map((login) => [login.name, login] as const)]),
  };
}
