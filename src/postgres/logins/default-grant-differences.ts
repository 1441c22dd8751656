import { otherOf } from '../../config/other-of.ts';
import type { GrantDifferenceInfo } from '../../facts/database/login-difference.ts';
import { quoteIdentifier } from '../identifier.ts';
import { type GrantDifference, grantDifference } from './grant-differences.ts';
import { catalog, mentioned } from './mentioned.ts';

export type DefaultGrantRow = Omit<Extract<GrantDifferenceInfo, { kind: 'default-grant' }>, 'kind'>;

/** What rows of DEFAULT_GRANTS say. */
export function defaultGrantDifferences(
  rows: readonly DefaultGrantRow[],
  pair: readonly [string, string],
): GrantDifference[] {
  return rows.map(({ login, objects, creator, schema, privileges }) => {
    const place = schema === null ? '' : ` IN SCHEMA ${schema}`;
    return grantDifference(
      { kind: 'default-grant', login, objects, creator, schema, privileges },
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${creator}${place} GRANT ${privileges} ON ${objects} TO ${quoteIdentifier(otherOf(pair, login))}`,
    );
  });
}

/**
 * Compares what the default privileges of other roles in this database give to two logins ($1).
 * https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html
 * What one of the two creates is its own. Large objects can have defaults from PostgreSQL 18 on.
 */
export const DEFAULT_GRANTS = `
  WITH ${mentioned('a')},
  granted AS (
    SELECT DISTINCT login.name AS login, pg_catalog.quote_ident(creator.rolname) AS creator,
           CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
                              WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS kind,
           pg_catalog.quote_ident(nspname) AS schema, entry.privilege_type AS privilege
      FROM mentioned
      JOIN pg_catalog.pg_default_acl AS defaults ON defaults.oid = mentioned.object
     CROSS JOIN pg_catalog.aclexplode(defaclacl) AS entry
      JOIN login ON login.oid = entry.grantee
      JOIN pg_catalog.pg_roles AS creator ON creator.oid = defaclrole
      LEFT JOIN pg_catalog.pg_namespace AS space ON space.oid = defaclnamespace
     WHERE mentioned.catalog = ${catalog('pg_default_acl')} AND creator.rolname <> ALL ($1)
  )
  SELECT login, creator, kind AS objects, schema, pg_catalog.string_agg(privilege, ', ' ORDER BY privilege) AS privileges
    FROM granted AS one
   WHERE NOT EXISTS (SELECT FROM granted AS other
                      WHERE (other.creator, other.kind, other.privilege) = (one.creator, one.kind, one.privilege)
                        AND other.schema IS NOT DISTINCT FROM one.schema
                        AND other.login <> one.login)
   GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 NULLS FIRST`;
