import type pg from 'pg';
import type { GrantableKind } from './grantable.ts';

/** What a role gets on everything that another role will create, in every schema. */
export interface GlobalDefault {
  readonly creator: string;
  readonly kind: Extract<GrantableKind, `future ${string}`>;
  readonly grantee: string;
  readonly privileges: readonly string[];
}

/**
 * Default privileges without a schema. Those of a schema add to them, and cannot revoke any of
 * them.
 * https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html
 */
export async function readGlobalDefaults(
  client: pg.ClientBase,
  grantees: readonly string[],
): Promise<GlobalDefault[]> {
  const { rows } = await client.query<GlobalDefault>(
    `SELECT pg_catalog.pg_get_userbyid(future.defaclrole)::pg_catalog.text AS creator, pg_catalog.pg_get_userbyid(entry.grantee)::pg_catalog.text AS grantee,
            CASE future.defaclobjtype WHEN 'S' THEN 'future sequences' ELSE 'future tables' END AS kind,
            pg_catalog.array_agg(entry.privilege_type ORDER BY entry.privilege_type) AS privileges
       FROM pg_catalog.pg_default_acl AS future
      CROSS JOIN pg_catalog.aclexplode(future.defaclacl) AS entry
      WHERE future.defaclnamespace = '0' AND future.defaclobjtype IN ('r', 'S')
        AND entry.grantee <> future.defaclrole AND pg_catalog.pg_get_userbyid(entry.grantee) = ANY ($1)
      GROUP BY future.defaclrole, entry.grantee, future.defaclobjtype ORDER BY 1, 2, 3`,
    [grantees],
  );
  return rows;
}
