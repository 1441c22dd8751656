import type pg from 'pg';
import { readServer, type Server } from '../../postgres/connection/rotator.ts';
import { type Login, readLogins } from '../../postgres/logins/login.ts';
import { type GlobalDefault, readGlobalDefaults } from '../../postgres/roles/global-defaults.ts';
import { type Grantable, readGrantables } from '../../postgres/roles/grantable.ts';
import { type Membership, readMemberships } from '../../postgres/roles/memberships.ts';
import { type RoleStanding, readStandings } from '../../postgres/roles/role-standing.ts';
import { readTargetDatabase, type TargetDatabase } from '../../postgres/roles/target-database.ts';
import { type Intent, rolesOf } from '../intent.ts';

/**
 * The roles as they are, and what else an intent is about. A role that does not exist is in neither
 * map.
 */
export interface CurrentRoles {
  readonly server: Server;
  readonly database: TargetDatabase;
  readonly logins: ReadonlyMap<string, Login>;
  /** Memberships of the policy's roles in other roles. */
  readonly memberships: readonly Membership[];
  /**
   * The policy's roles, the roles of which they are members, owners of the objects, and grantors of
   * the privileges.
   */
  readonly standings: ReadonlyMap<string, RoleStanding>;
  /** Empty where privileges are left as they are. */
  readonly grantables: readonly Grantable[];
  /** Empty where privileges are left as they are. */
  readonly globalDefaults: readonly GlobalDefault[];
}

export async function readCurrentRoles(client: pg.Client, intent: Intent): Promise<CurrentRoles> {
  const roles = rolesOf(intent);
  const server = await readServer(client);
  const database = await readTargetDatabase(client);
  const logins = await readLogins(client, roles);
  const grantables =
    intent.access === null
      ? []
      : await readGrantables(client, {
          grantees: roles,
          schemas: [...intent.schemas, ...intent.former],
          creators: intent.creators,
        });
  const globalDefaults = intent.access === null ? [] : await readGlobalDefaults(client, roles);
  const memberships = await readMemberships(client, roles);
  const others = memberships.flatMap(({ role, grantor }) => (grantor === null ? role : [role, grantor]));
  const owners = grantables.flatMap(({ owner, held }) => [
    owner,
    ...held.map(({ grantor }) => grantor ?? owner),
  ]);
  const standings = await readStandings(client, [
    ...new Set([...roles, ...others, ...owners, database.owner]),
  ]);
  return { server, database, logins, memberships, standings, grantables, globalDefaults };
}
