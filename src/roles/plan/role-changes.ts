import { fact } from '../../facts/fact.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { grantConnect, grantConnectOption } from '../../postgres/roles/grant-statements.ts';
import {
  createRole,
  grantAdmin,
  grantMembership,
  setDefaultRole,
} from '../../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../../postgres/roles/with-options.ts';
import { type Intent, rolesOf } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';

/**
 * Who makes the changes. The rotator may alter what it creates itself; on what an administrator
 * creates it must be given the right. `to` is the quoted rotator.
 */
export type Executor = { readonly rotator: true } | { readonly rotator: false; readonly to: string };

/** Creates the missing roles. With an owner, makes what both logins create belong to the owner. */
export function roleChanges(intent: Intent, current: CurrentRoles, executor: Executor): Change[] {
  return [
    ...missingRoles(intent, current),
    ...administration(intent, current, executor),
    ...memberships(intent, current),
    ...connects(intent, current),
  ];
}

function missingRoles({ logins, owner }: Intent, { standings }: CurrentRoles): Change[] {
  const missing = (role: string) => !standings.has(role);
  return [
    ...(owner !== undefined && missing(owner)
      ? [{ does: fact('create-role', { kind: 'owner', role: owner }), sql: createRole(owner) }]
      : []),
    ...logins.filter(missing).map((login) => ({
      does: fact('create-role', { kind: 'login', role: login }),
      sql: createRole(login),
    })),
  ];
}

function administration(intent: Intent, { server, standings }: CurrentRoles, executor: Executor): Change[] {
  if (executor.rotator || server.version < WITH_OPTIONS) return [];
  return rolesOf(intent)
    .filter((role) => !standings.get(role)?.administered)
    .map((role) => ({
      does: fact('grant-admin-option', { rotator: server.rotator, role }),
      sql: grantAdmin(role, executor.to),
    }));
}

function memberships({ logins, owner }: Intent, { server, database, logins: found }: CurrentRoles): Change[] {
  if (owner === undefined) return [];
  return logins.flatMap((login) => {
    const there = found.get(login);
    const changes: Change[] = [];
    if (!there?.canBecome.includes(owner)) {
      changes.push({
        does: fact('grant-membership', { role: owner, member: login }),
        sql: grantMembership(owner, login, { options: server.version >= WITH_OPTIONS }),
        administers: [owner],
      });
    }
    if (there?.defaultRole !== owner) {
      changes.push({
        does: fact('set-default-role', { login, owner }),
        sql: setDefaultRole(login, owner, {
          database: database.name,
          here: there?.hasDefaultRoleHere ?? false,
        }).join('; '),
      });
    }
    return changes;
  });
}

function connects({ logins }: Intent, { database, standings }: CurrentRoles): Change[] {
  const refused = logins.filter(
    (login) => !(standings.get(login)?.mayConnect ?? database.letsEverybodyConnect),
  );
  if (refused.length === 0) return [];
  return [
    {
      does: fact('grant-connect', { logins: refused, database: database.name }),
      sql: grantConnect(database.name, refused),
      rights: database.mayLetConnect ? [] : [database.owner],
      instead: {
        right: fact('cannot-let-others-connect', { database: database.name }),
        remedy: (to) => grantConnectOption(database.name, to),
      },
    },
  ];
}
