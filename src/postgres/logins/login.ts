import type pg from 'pg';
import type { SettingInfo } from '../../facts/database/login-difference.ts';
import { prepared } from '../connection/prepared.ts';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { shutOut } from '../roles/role-statements.ts';
import { type AlterOptions, alterLogin } from './alter-login.ts';

export type RoleSetting = SettingInfo;

/** What pg_roles and its neighbours say of a login. */
export interface Login {
  readonly name: string;
  readonly canLogin: boolean;
  readonly superuser: boolean;
  /**
   * As in `ALTER ROLE`, for instance `CREATEDB`. Without LOGIN, and without those that have a
   * value.
   */
  readonly attributes: readonly string[];
  /** -1: none. */
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  /** Those that it may `SET ROLE` to: from PostgreSQL 16 on some memberships do not allow it. */
  readonly canBecome: readonly string[];
  readonly settings: readonly RoleSetting[];
  /** What `ALTER ROLE … SET role` says, for every database or for this one. */
  readonly defaultRole: string | null;
  /** Whether that is set for this database, which overrides what is set for every database. */
  readonly hasDefaultRoleHere: boolean;
  readonly expired: boolean;
  /** Until when PostgreSQL accepts its password; null: for ever, or longer than a Date can hold. */
  readonly validUntil: Date | null;
  /** Whether it has CONNECT on this database. */
  readonly mayConnect: boolean;
}

/**
 * set_option came with PostgreSQL 16. Before, every membership let a role become the other.
 * https://www.postgresql.org/docs/current/role-membership.html
 */
export const LOGINS = `
  SELECT role.rolname AS name, role.rolcanlogin AS "canLogin", role.rolsuper AS superuser,
         coalesce(role.rolvaliduntil < pg_catalog.now(), false) AS expired,
         CASE WHEN pg_catalog.isfinite(role.rolvaliduntil) AND role.rolvaliduntil < '275760-01-01' THEN role.rolvaliduntil END
           AS "validUntil",
         role.rolconnlimit AS "connectionLimit",
         pg_catalog.has_database_privilege(role.oid, pg_catalog.current_database(), 'CONNECT') AS "mayConnect",
         pg_catalog.array_remove(ARRAY[
           CASE WHEN role.rolsuper THEN 'SUPERUSER' END,
           CASE WHEN NOT role.rolinherit THEN 'NOINHERIT' END,
           CASE WHEN role.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN role.rolcreatedb THEN 'CREATEDB' END,
           CASE WHEN role.rolreplication THEN 'REPLICATION' END,
           CASE WHEN role.rolbypassrls THEN 'BYPASSRLS' END
         ], NULL) AS attributes,
         ARRAY(SELECT DISTINCT granted.rolname::pg_catalog.text
                 FROM pg_catalog.pg_auth_members AS membership
                 JOIN pg_catalog.pg_roles AS granted ON granted.oid = membership.roleid
                WHERE membership.member = role.oid ORDER BY 1) AS "memberOf",
         ARRAY(SELECT DISTINCT granted.rolname::pg_catalog.text
                 FROM pg_catalog.pg_auth_members AS membership
                 JOIN pg_catalog.pg_roles AS granted ON granted.oid = membership.roleid
                WHERE membership.member = role.oid
                  AND coalesce((pg_catalog.to_jsonb(membership) ->> 'set_option'::pg_catalog.text)::boolean, true)
                ORDER BY 1) AS "canBecome",
         coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                            'database', database.datname,
                            'name', pg_catalog.split_part(setting, '=', 1),
                            'value', pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1))
                          ORDER BY database.datname NULLS FIRST, setting)
                     FROM pg_catalog.pg_db_role_setting AS stored
                    CROSS JOIN pg_catalog.unnest(stored.setconfig) AS setting
                     LEFT JOIN pg_catalog.pg_database AS database ON database.oid = stored.setdatabase
                    WHERE stored.setrole = role.oid), '[]') AS settings,
         (SELECT pg_catalog.substr(setting, 6)
            FROM pg_catalog.pg_db_role_setting AS stored
            CROSS JOIN pg_catalog.unnest(stored.setconfig) AS setting
            LEFT JOIN pg_catalog.pg_database AS database ON database.oid = stored.setdatabase
           WHERE stored.setrole = role.oid AND setting LIKE 'role=%'
             AND (stored.setdatabase = '0' OR database.datname = pg_catalog.current_database())
           ORDER BY stored.setdatabase DESC LIMIT 1) AS "defaultRole",
         EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS stored
                   JOIN pg_catalog.pg_database AS database ON database.oid = stored.setdatabase
                  CROSS JOIN pg_catalog.unnest(stored.setconfig) AS setting
                  WHERE stored.setrole = role.oid AND database.datname = pg_catalog.current_database()
                    AND setting LIKE 'role=%') AS "hasDefaultRoleHere"
    FROM pg_catalog.pg_roles AS role
   WHERE role.rolname = ANY ($1)`;

/** Reads the logins that exist. The map has no entry for others. */
export async function readLogins(
  client: pg.ClientBase,
  names: readonly string[],
): Promise<Map<string, Login>> {
  const { rows } = await client.query<Login>(prepared(LOGINS, [names]));
  return new Map(rows.map((login) => [login.name, login]));
}

const CAN_LOG_IN = `
  SELECT role.rolcanlogin AS can FROM pg_catalog.pg_roles AS role WHERE role.rolname = $1::pg_catalog.name`;

/** Whether a role has LOGIN. False, too, where there is none of that name. */
export async function canLogIn(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query<{ can: boolean }>(prepared(CAN_LOG_IN, [name]));
  return rows[0]?.can === true;
}

/**
 * Lets the login in with the password of the verifier. Needs a transaction that holds the policy's
 * lock.
 */
export async function enableLogin(client: pg.ClientBase, login: string, verifier: string): Promise<void> {
  await alterLogin(
    client,
    login,
    `ALTER ROLE ${quoteIdentifier(login)} LOGIN PASSWORD ${quoteLiteral(verifier)}`,
  );
}

/**
 * Shuts the login out and removes its password. Open sessions stay open, except those in the way
 * where `onEnd` is given. Needs a transaction that holds the policy's lock.
 */
export async function disableLogin(
  client: pg.ClientBase,
  login: string,
  options: AlterOptions = {},
): Promise<void> {
  await alterLogin(client, login, shutOut(login), options);
}
