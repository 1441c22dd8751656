import type pg from 'pg';

/**
 * The roles whose rights it takes to revoke what was granted to a role in the connected database:
 * the owners of schemas, tables, sequences, functions, types and the database, and roles whose
 * default privileges name it.
 * https://www.postgresql.org/docs/current/catalog-pg-shdepend.html
 * `a` is an entry of an access list.
 */
export async function grantingRoles(client: pg.ClientBase, role: string): Promise<string[]> {
  const { rows } = await client.query<{ readonly name: string }>(
    `SELECT DISTINCT pg_catalog.pg_get_userbyid(owner)::pg_catalog.text AS name
       FROM pg_catalog.pg_shdepend AS granted
       JOIN pg_catalog.pg_roles AS role ON role.oid = granted.refobjid AND role.rolname = $1
       JOIN (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, oid, relowner AS owner FROM pg_catalog.pg_class
             UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, oid, nspowner FROM pg_catalog.pg_namespace
             UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, oid, proowner FROM pg_catalog.pg_proc
             UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, oid, typowner FROM pg_catalog.pg_type
             UNION ALL SELECT 'pg_catalog.pg_database'::pg_catalog.regclass::pg_catalog.oid, oid, datdba FROM pg_catalog.pg_database
             UNION ALL SELECT 'pg_catalog.pg_default_acl'::pg_catalog.regclass::pg_catalog.oid, oid, defaclrole FROM pg_catalog.pg_default_acl
            ) AS thing ON thing.class = granted.classid AND thing.oid = granted.objid
      WHERE granted.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid AND granted.deptype = 'a'
        AND granted.dbid IN ('0', (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))`,
    [role],
  );
  return rows.map(({ name }) => name);
}
