import type { Change } from '../postgres/roles/change.ts';
import { grantConnect, grantConnectOption } from '../postgres/roles/grant-statements.ts';
import {
  createRole,
  grantAdmin,
  grantMembership,
  setDefaultRole,
} from '../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../postgres/roles/with-options.ts';
import { type Intent, rolesOf } from './intent.ts';
import type { World } from './world.ts';

/** Who carries the changes out. What the rotator makes itself it may alter; what another makes it must be given. */
export type Executor = { readonly rotator: true } | { readonly rotator: false; readonly to: string };

/** Makes the roles that are missing, and with an owner makes what both logins create belong to that. */
export function roleChanges(intent: Intent, world: World, executor: Executor): Change[] {
  return [
    ...missingRoles(intent, world),
    ...administration(intent, world, executor),
    ...memberships(intent, world),
    ...connects(intent, world),
  ];
}

function missingRoles({ logins, owner }: Intent, { standings }: World): Change[] {
  const missing = (role: string) => !standings.has(role);
  return [
    ...(owner !== undefined && missing(owner)
      ? [{ what: `makes the owner ${owner}`, sql: createRole(owner) }]
      : []),
    ...logins.filter(missing).map((login) => ({ what: `makes the login ${login}`, sql: createRole(login) })),
  ];
}

function administration(intent: Intent, { server, standings }: World, executor: Executor): Change[] {
  if (executor.rotator || server.version < WITH_OPTIONS) return [];
  return rolesOf(intent)
    .filter((role) => !standings.get(role)?.administered)
    .map((role) => ({
      what: `lets the rotator ${server.rotator} alter ${role}`,
      sql: grantAdmin(role, executor.to),
    }));
}

function memberships({ logins, owner }: Intent, { server, database, logins: found }: World): Change[] {
  if (owner === undefined) return [];
  return logins.flatMap((login) => {
    const there = found.get(login);
    const changes: Change[] = [];
    if (!there?.canBecome.includes(owner)) {
      changes.push({
        what: `makes ${login} a member of ${owner}`,
        sql: grantMembership(owner, login, { options: server.version >= WITH_OPTIONS }),
        administers: [owner],
      });
    }
    if (there?.defaultRole !== owner) {
      changes.push({
        what: `makes what ${login} creates belong to ${owner}`,
        sql: setDefaultRole(login, owner, {
          database: database.name,
          here: there?.hasDefaultRoleHere ?? false,
        }).join('; '),
      });
    }
    return changes;
  });
}

function connects({ logins }: Intent, { database, standings }: World): Change[] {
  const refused = logins.filter(
    (login) => !(standings.get(login)?.mayConnect ?? database.letsEverybodyConnect),
  );
  if (refused.length === 0) return [];
  return [
    {
      what: `lets ${refused.join(' and ')} connect to ${database.name}`,
      sql: grantConnect(database.name, refused),
      rights: database.mayLetConnect ? [] : [database.owner],
      instead: {
        what: `let others connect to ${database.name}`,
        remedy: (to) => grantConnectOption(database.name, to),
      },
    },
  ];
}
