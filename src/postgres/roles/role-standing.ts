import type pg from 'pg';

/**
 * Whether the rotator has the rights of a role.
 *
 * - `had`: it has them
 * - `borrowable`: it can make itself a member for a moment
 * - `not administered`: it may not make members of the role
 * - `not inherited`: it is a member that does not inherit
 * - `never`: no role but a superuser can have them
 */
export type Rights = 'had' | 'borrowable' | 'not administered' | 'not inherited' | 'never';

/** How a role relates to others, and what the rotator may do with it. */
export interface RoleStanding {
  readonly name: string;
  /**
   * Whether the role may connect to this database, by its own right or through PUBLIC or another
   * role.
   */
  readonly mayConnect: boolean;
  readonly members: readonly string[];
  /** Whether the rotator has ADMIN OPTION on it. It only matters from PostgreSQL 16 on. */
  readonly administered: boolean;
  readonly rights: Rights;
}

/** Reads the roles that exist. A role that does not is absent from the map. */
export async function readStandings(
  client: pg.ClientBase,
  names: readonly string[],
): Promise<Map<string, RoleStanding>> {
  const { rows } = await client.query<RoleStanding>(
    `SELECT role.rolname AS name,
            pg_catalog.has_database_privilege(role.oid, pg_catalog.current_database(), 'CONNECT') AS "mayConnect",
            ARRAY(SELECT DISTINCT member.rolname::pg_catalog.text
                    FROM pg_catalog.pg_auth_members AS membership
                    JOIN pg_catalog.pg_roles AS member ON member.oid = membership.member
                   WHERE membership.roleid = role.oid) AS members,
            pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION') AS administered,
            CASE WHEN pg_catalog.pg_has_role(me.oid, role.oid, 'USAGE') THEN 'had'
                 WHEN role.rolsuper OR role.rolname = 'pg_database_owner' THEN 'never'
                 WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN
                   CASE WHEN NOT pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION')
                        THEN 'not administered'
                        WHEN EXISTS (SELECT FROM pg_catalog.pg_auth_members AS own
                                      WHERE own.roleid = role.oid AND own.member = me.oid AND own.grantor = me.oid)
                        THEN 'not inherited' ELSE 'borrowable' END
                 WHEN NOT me.rolinherit OR pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER') THEN 'not inherited'
                 WHEN me.rolcreaterole THEN 'borrowable' ELSE 'not administered'
            END AS rights
       FROM pg_catalog.pg_roles AS role
       JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
      WHERE role.rolname = ANY ($1)`,
    [names],
  );
  return new Map(rows.map((standing) => [standing.name, standing]));
}
