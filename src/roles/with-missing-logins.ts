import type { Login } from '../postgres/logins/login.ts';
import type { Intent } from './intent.ts';
import type { World } from './world.ts';

/** The world as it will be once the logins that are missing have been made. */
export function withMissingLogins({ logins, owner }: Intent, world: World): World {
  const made = logins
    .filter((name) => !world.logins.has(name))
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
    ...world,
    logins: new Map([...world.logins, ...made.map((login) => [login.name, login] as const)]),
  };
}
