import { quoteIdentifier } from '../identifier.ts';
import type { Membership } from './memberships.ts';
import { WITH_OPTIONS } from './with-options.ts';

// Statements that make and mend roles, each complete but for the semicolon.

/** A login starts like an owner: it cannot log in and has no password, until its first rotation gives it one. */
export function createRole(role: string): string {
  return `CREATE ROLE ${quoteIdentifier(role)} NOLOGIN`;
}

/** `options`: from PostgreSQL 16 on a membership says for itself whether it inherits and may become the role. */
export function grantMembership(
  role: string,
  member: string,
  { options }: { readonly options: boolean },
): string {
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${options ? ' WITH INHERIT TRUE, SET TRUE' : ''}`;
}

/** With a grantor only the membership that this one gave; without, from PostgreSQL 16 on, only that which the current role gave. */
export function revokeMembership({ role, member, grantor }: Membership): string {
  const revoke = `REVOKE ${quoteIdentifier(role)} FROM ${quoteIdentifier(member)}`;
  return grantor === null ? revoke : `${revoke} GRANTED BY ${quoteIdentifier(grantor)}`;
}

/** The least with which a rotator may alter a role from PostgreSQL 16 on. `rotator` is quoted already. */
export function grantAdmin(role: string, rotator: string): string {
  return `GRANT ${quoteIdentifier(role)} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`;
}

/** `here`: a setting for one database stands above the one for all, and has to go. */
export function setDefaultRole(
  login: string,
  owner: string,
  { database, here }: { readonly database: string; readonly here: boolean },
): string[] {
  const name = quoteIdentifier(login);
  const set = `ALTER ROLE ${name} SET role = ${quoteIdentifier(owner)}`;
  return here ? [`ALTER ROLE ${name} IN DATABASE ${quoteIdentifier(database)} RESET role`, set] : [set];
}

export function letLogIn(login: string): string {
  return `ALTER ROLE ${quoteIdentifier(login)} LOGIN`;
}

export function shutOut(login: string): string {
  return `ALTER ROLE ${quoteIdentifier(login)} NOLOGIN PASSWORD NULL`;
}

export function neverExpire(login: string): string {
  return `ALTER ROLE ${quoteIdentifier(login)} VALID UNTIL 'infinity'`;
}

export function limitConnections(login: string, limit: number): string {
  return `ALTER ROLE ${quoteIdentifier(login)} CONNECTION LIMIT ${limit}`;
}

/** Hands over what a role owns in the connected database, and databases that it owns. */
export function reassignOwned(from: string, to: string): string {
  return `REASSIGN OWNED BY ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`;
}

/** Once nothing is owned any more this only takes back what was granted to the role, in the connected database. */
export function dropOwned(role: string): string {
  return `DROP OWNED BY ${quoteIdentifier(role)}`;
}

export function dropRole(role: string): string {
  return `DROP ROLE ${quoteIdentifier(role)}`;
}

export function createSchema(schema: string): string {
  return `CREATE SCHEMA ${quoteIdentifier(schema)}`;
}

/** `rotator` is quoted already. */
export function allowCreateRole(rotator: string): string {
  return `ALTER ROLE ${rotator} CREATEROLE`;
}

/** Has a member use a role's rights: an option of the membership from PostgreSQL 16 on, of the member before. */
export function inheritRights(role: string, rotator: string, version: number): string {
  if (version < WITH_OPTIONS) return `ALTER ROLE ${rotator} INHERIT`;
  return `GRANT ${quoteIdentifier(role)} TO ${rotator} WITH INHERIT TRUE, SET TRUE`;
}
