import type pg from 'pg';
import { readServer, type Server } from '../postgres/connection/rotator.ts';
import { type Login, readLogins } from '../postgres/logins/login.ts';
import { type DatabaseFacts, readDatabase } from '../postgres/roles/database-facts.ts';
import { type GlobalDefault, readGlobalDefaults } from '../postgres/roles/global-defaults.ts';
import { type Grantable, readGrantables } from '../postgres/roles/grantable.ts';
import { type Membership, readMemberships } from '../postgres/roles/memberships.ts';
import { type RoleStanding, readStandings } from '../postgres/roles/role-standing.ts';
import { type Intent, rolesOf } from './intent.ts';

/** What is there, as far as an intent is concerned with it. A role that does not exist is in neither map. */
export interface World {
  readonly server: Server;
  readonly database: DatabaseFacts;
  readonly logins: ReadonlyMap<string, Login>;
  /** Those of the policy's roles in others. */
  readonly memberships: readonly Membership[];
  /** Besides the policy's roles, those of which they are members, those to whom something belongs, and who granted it. */
  readonly standings: ReadonlyMap<string, RoleStanding>;
  /** Empty where privileges are left as they are. */
  readonly grantables: readonly Grantable[];
  /** Empty there, too. */
  readonly globalDefaults: readonly GlobalDefault[];
}

export async function readWorld(client: pg.Client, intent: Intent): Promise<World> {
  const roles = rolesOf(intent);
  const server = await readServer(client);
  const database = await readDatabase(client);
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
