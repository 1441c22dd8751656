import type pg from 'pg';
import { STARTED } from '../connection/identity.ts';
import { prepared } from '../connection/prepared.ts';

/** A login that is published, and the owner that it acts as; null where it has none. */
export interface PublishedLogin {
  readonly login: string;
  readonly owner: string | null;
}

/** What the catalog says of a login. It does not tell whether a password is right. */
export interface SeenLogin {
  readonly login: string;
  /** Whether it may not connect, or is no member of its owner. */
  readonly isShut: boolean;
  readonly sessions: number;
  /** How many sessions it may have; null: as many as it likes. */
  readonly limit: number | null;
}

/** What one query says of a server. */
export interface SeenServer {
  /** Which server it is: when it was started, to the microsecond. */
  readonly server: string;
  readonly logins: readonly SeenLogin[];
}

/** Looks at any number of logins of the session's database, in one query that any role may ask. */
export async function lookAtLogins(
  client: pg.ClientBase,
  published: readonly PublishedLogin[],
): Promise<SeenServer> {
  const { rows } = await client.query<{ server: string; logins: readonly SeenLogin[] | null }>(
    prepared(LOOK, [published.map(({ login }) => login), published.map(({ owner }) => owner)]),
  );
  // A SELECT without FROM has one row.
  const { server, logins } = rows[0] as (typeof rows)[number];
  return { server, logins: logins ?? [] };
}

/** A CONNECTION LIMIT below 0 is none. Superusers are not bound by theirs, but may be counted. */
const LOOK = `
  WITH used AS MATERIALIZED (
    SELECT usesysid AS login, pg_catalog.count(*) AS sessions
      FROM pg_catalog.pg_stat_activity WHERE usesysid IS NOT NULL GROUP BY usesysid),
  seen AS (
    SELECT given.login,
           role.oid IS NULL OR NOT role.rolcanlogin
             OR coalesce(role.rolvaliduntil <= pg_catalog.clock_timestamp(), false)
             OR role.rolconnlimit = 0
             OR NOT pg_catalog.has_database_privilege(role.oid, pg_catalog.current_database()::pg_catalog.text, 'CONNECT')
             OR given.owner IS NOT NULL
                AND (owner.oid IS NULL OR NOT pg_catalog.pg_has_role(role.oid, owner.oid, 'MEMBER'))
             AS "isShut",
           coalesce(used.sessions, 0) AS sessions,
           CASE WHEN role.rolconnlimit >= 0 THEN role.rolconnlimit END AS "limit"
      FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
             AS given (login, owner)
      LEFT JOIN pg_catalog.pg_roles AS role ON role.rolname = given.login
      LEFT JOIN pg_catalog.pg_roles AS owner ON owner.rolname = given.owner
      LEFT JOIN used ON used.login = role.oid)
  SELECT ${STARTED} AS server, (SELECT pg_catalog.json_agg(seen) FROM seen) AS logins`;
