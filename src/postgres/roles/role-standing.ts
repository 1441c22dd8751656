import type pg from 'pg';

/**
 * Whether the rotator has a role's rights anyway, can lend them to itself for a moment, or why it cannot: it is not
 * allowed to make members of that role, it is a member that does not inherit, or nobody can be.
 */
export type Rights = 'had' | 'borrowable' | 'not administered' | 'not inherited' | 'never';

/** How a role stands to others, and what the rotator may do with it. */
export interface RoleStanding {
  readonly name: string;
  /** As in `CONNECTION LIMIT`: -1 is none. */
  readonly connectionLimit: number;
  readonly superuser: boolean;
  /** Roles that it may `SET ROLE` to as a member: from PostgreSQL 16 on not every membership lets it. */
  readonly canBecome: readonly string[];
  /** Whether `ALTER ROLE … IN DATABASE … SET role` stands for this database. */
  readonly hasDefaultRoleHere: boolean;
  /** Whether the role may connect to this database, whoever lets it. */
  readonly mayConnect: boolean;
  readonly members: readonly string[];
  /** Whether the rotator has ADMIN OPTION on it, which only counts from PostgreSQL 16 on. */
  readonly administered: boolean;
  readonly rights: Rights;
}

/** Reads the roles that exist; one that does not is absent from the map. */
export async function readStandings(
  client: pg.ClientBase,
  names: readonly string[],
): Promise<Map<string, RoleStanding>> {
  // set_option came with PostgreSQL 16; before, every membership let a role become the other.
  // https://www.postgresql.org/docs/current/role-membership.html
  const { rows } = await client.query(
    `SELECT role.rolname AS name, role.rolconnlimit AS "connectionLimit", role.rolsuper AS superuser,
            ARRAY(SELECT granted.rolname::text
                    FROM pg_catalog.pg_auth_members AS membership
                    JOIN pg_catalog.pg_roles AS granted ON granted.oid = membership.roleid
                   WHERE membership.member = role.oid
                     AND coalesce((to_jsonb(membership) ->> 'set_option')::boolean, true)) AS "canBecome",
            EXISTS (SELECT FROM pg_catalog.pg_db_role_setting AS stored
                      JOIN pg_catalog.pg_database AS database ON database.oid = stored.setdatabase
                     CROSS JOIN unnest(stored.setconfig) AS setting
                     WHERE stored.setrole = role.oid AND database.datname = current_database()
                       AND setting LIKE 'role=%') AS "hasDefaultRoleHere",
            pg_catalog.has_database_privilege(role.oid, current_database(), 'CONNECT') AS "mayConnect",
            ARRAY(SELECT DISTINCT member.rolname::text
                    FROM pg_catalog.pg_auth_members AS membership
                    JOIN pg_catalog.pg_roles AS member ON member.oid = membership.member
                   WHERE membership.roleid = role.oid) AS members,
            pg_catalog.pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION') AS administered,
            CASE WHEN pg_catalog.pg_has_role(me.oid, role.oid, 'USAGE') THEN 'had'
                 WHEN role.rolsuper OR role.rolname = 'pg_database_owner' THEN 'never'
                 WHEN current_setting('server_version_num')::int >= 160000 THEN
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
