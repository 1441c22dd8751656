import type pg from 'pg';

/** That a role is a member of another, and who granted it. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  /**
   * From PostgreSQL 16 on there may be several, and only each grantor can revoke its own. Null up
   * to 15.
   */
  readonly grantor: string | null;
}

/**
 * The memberships of these roles in others.
 * https://www.postgresql.org/docs/current/catalog-pg-auth-members.html
 */
export async function readMemberships(
  client: pg.ClientBase,
  members: readonly string[],
): Promise<Membership[]> {
  const { rows } = await client.query<Membership>(
    `SELECT DISTINCT granted.rolname::pg_catalog.text AS role, member.rolname::pg_catalog.text AS member,
            CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
                 THEN pg_catalog.pg_get_userbyid(membership.grantor)::pg_catalog.text END AS grantor
       FROM pg_catalog.pg_auth_members AS membership
       JOIN pg_catalog.pg_roles AS granted ON granted.oid = membership.roleid
       JOIN pg_catalog.pg_roles AS member ON member.oid = membership.member
      WHERE member.rolname = ANY ($1) ORDER BY 1, 2, 3`,
    [members],
  );
  return rows;
}
