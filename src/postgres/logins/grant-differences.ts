import { otherOf } from '../../config/other-of.ts';
import type { GrantDifferenceInfo } from '../../facts/database/login-difference.ts';
import { quoteIdentifier } from '../identifier.ts';
import { catalog, mentioned } from './mentioned.ts';

/**
 * What only one of two logins may do in this database, and the statement that gives the other the
 * same.
 */
export interface GrantDifference {
  readonly info: GrantDifferenceInfo;
  readonly remedy: string;
}

export function grantDifference(info: GrantDifferenceInfo, remedy: string): GrantDifference {
  return { info, remedy };
}

export type GrantRow = Omit<Extract<GrantDifferenceInfo, { kind: 'grant' }>, 'kind'>;

/** What rows of GRANTS say. */
export function grantDifferences(
  rows: readonly GrantRow[],
  pair: readonly [string, string],
): GrantDifference[] {
  return rows.map(({ login, privileges, objects, names }) =>
    grantDifference(
      { kind: 'grant', login, privileges, objects, names },
      `GRANT ${privileges} ON ${objects} ${names} TO ${quoteIdentifier(otherOf(pair, login))}`,
    ),
  );
}

/**
 * Compares what was granted to two logins ($1) themselves: on tables, sequences, schemas and
 * routines, but not on columns. A role needs no grant on what it owns.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-ACLITEM
 */
export const GRANTS = `
  WITH ${mentioned('a')},
  object AS (
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, relowner AS owner, relacl AS acl,
           pg_catalog.format('%I.%I', nspname, relname) AS name
      FROM mentioned
      JOIN pg_catalog.pg_class AS relation ON relation.oid = mentioned.object
      JOIN pg_catalog.pg_namespace AS space ON space.oid = relnamespace
     WHERE mentioned.catalog = ${catalog('pg_class')} AND relpersistence <> 't'
    UNION ALL
    SELECT 'SCHEMA', nspowner, nspacl, pg_catalog.quote_ident(nspname)
      FROM mentioned JOIN pg_catalog.pg_namespace AS space ON space.oid = mentioned.object
     WHERE mentioned.catalog = ${catalog('pg_namespace')}
    UNION ALL
    SELECT 'ROUTINE', proowner, proacl,
           pg_catalog.format('%I.%I(%s)', nspname, proname, pg_catalog.pg_get_function_identity_arguments(routine.oid))
      FROM mentioned
      JOIN pg_catalog.pg_proc AS routine ON routine.oid = mentioned.object
      JOIN pg_catalog.pg_namespace AS space ON space.oid = pronamespace
     WHERE mentioned.catalog = ${catalog('pg_proc')}
  ), granted AS (
    SELECT DISTINCT login.name AS login, kind, object.name, entry.privilege_type AS privilege
      FROM object CROSS JOIN pg_catalog.aclexplode(object.acl) AS entry
      JOIN login ON login.oid = entry.grantee
     WHERE entry.grantee <> object.owner
  ), single AS (
    SELECT login, kind, name, pg_catalog.string_agg(privilege, ', ' ORDER BY privilege) AS privileges
      FROM granted AS one
     WHERE NOT EXISTS (SELECT FROM granted AS other
                        WHERE (other.kind, other.name, other.privilege) = (one.kind, one.name, one.privilege)
                          AND other.login <> one.login)
     GROUP BY 1, 2, 3
  )
  SELECT login, kind AS objects, privileges, pg_catalog.string_agg(name, ', ' ORDER BY name) AS names
    FROM single GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
