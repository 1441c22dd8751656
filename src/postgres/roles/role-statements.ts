import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import type { Membership } from './memberships.ts';
import { WITH_OPTIONS } from './with-options.ts';

// Statements that create and repair roles, each without its semicolon.

/** A login starts like an owner, without LOGIN and password. Its first rotation gives it both. */
export function createRole(role: string): string {
  return `CREATE ROLE ${quoteIdentifier(role)} NOLOGIN`;
}

/**
 * `options`: from PostgreSQL 16 on, whether a member inherits and may SET ROLE is set for each
 * membership.
 */
export function grantMembership(
  role: string,
  member: string,
  { options }: { readonly options: boolean },
): string {
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${options ? ' WITH INHERIT TRUE, SET TRUE' : ''}`;
}

/**
 * Revokes what the grantor granted. Without a grantor, from PostgreSQL 16 on, what the current role
 * granted.
 */
export function revokeMembership({ role, member, grantor }: Membership): string {
  const revoke = `REVOKE ${quoteIdentifier(role)} FROM ${quoteIdentifier(member)}`;
  return grantor === null ? revoke : `${revoke} GRANTED BY ${quoteIdentifier(grantor)}`;
}

/**
 * The least that lets a rotator alter a role from PostgreSQL 16 on. `rotator` is quoted already.
 */
export function grantAdmin(role: string, rotator: string): string {
  return `GRANT ${quoteIdentifier(role)} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`;
}

/** `here`: removes a setting for this database, which would override the one for all. */
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

export function setPassword(login: string, verifier: string): string {
  return `ALTER ROLE ${quoteIdentifier(login)} PASSWORD ${quoteLiteral(verifier)}`;
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

/**
 * Once the role owns nothing, this only revokes what was granted to it in the connected database.
 */
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

/**
 * Lets a member use a role's rights. From PostgreSQL 16 on that is an option of the membership,
 * before of the member.
 */
export function inheritRights(role: string, rotator: string, version: number): string {
  if (version < WITH_OPTIONS) return `ALTER ROLE ${rotator} INHERIT`;
  return `GRANT ${quoteIdentifier(role)} TO ${rotator} WITH INHERIT TRUE, SET TRUE`;
}
