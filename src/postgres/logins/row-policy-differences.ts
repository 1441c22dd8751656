import { quoteIdentifier } from '../identifier.ts';
import { type GrantDifference, grantDifference } from './grant-differences.ts';
import { catalog, mentioned } from './mentioned.ts';

export type RowPolicyRow = Readonly<Record<'login' | 'other' | 'policy' | 'roles', string>>;

/** What rows of ROW_POLICIES say. */
export function rowPolicyDifferences(rows: readonly RowPolicyRow[]): GrantDifference[] {
  return rows.map(({ login, other, policy, roles }) =>
    grantDifference(
      { kind: 'row-policy', login, policy },
      `ALTER POLICY ${policy} TO ${roles}, ${quoteIdentifier(other)}`,
    ),
  );
}

/**
 * Row security policies of this database that apply to only one of two logins ($1), because they
 * name it. https://www.postgresql.org/docs/current/ddl-rowsecurity.html
 * A policy that names PUBLIC applies to all, and one that names a role to those who have its
 * rights.
 */
export const ROW_POLICIES = `
  WITH ${mentioned('r')}
  SELECT login.name AS login, other.name AS other, pg_catalog.format('%I ON %I.%I', polname, nspname, relname) AS policy,
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(named.rolname), ', ' ORDER BY named.rolname)
            FROM pg_catalog.pg_roles AS named WHERE named.oid = ANY (polroles)) AS roles
    FROM mentioned
    JOIN pg_catalog.pg_policy AS policy ON policy.oid = mentioned.object
    JOIN pg_catalog.pg_class AS relation ON relation.oid = polrelid
    JOIN pg_catalog.pg_namespace AS space ON space.oid = relnamespace
    JOIN login ON login.oid = ANY (polroles)
    JOIN login AS other ON other.oid <> login.oid
   WHERE mentioned.catalog = ${catalog('pg_policy')} AND NOT EXISTS (SELECT FROM pg_catalog.unnest(polroles) AS named
                      WHERE CASE named WHEN '0' THEN true ELSE pg_catalog.pg_has_role(other.oid, named, 'USAGE') END)
   ORDER BY 1, 3`;
