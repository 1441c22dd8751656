/** A common table expression `login (oid, name)`: the roles that $1 names. */
export const LOGIN = `login AS MATERIALIZED (
    SELECT role.oid, role.rolname AS name FROM pg_catalog.pg_roles AS role WHERE role.rolname = ANY ($1)
  )`;

/**
 * Two common table expressions: `login`, as LOGIN has it, and
 * `mentioned (catalog, object)`, the objects of this database that mention one of them: in an ACL
 * (`a`), or in a row security policy (`r`). PostgreSQL finds these by an index on the role, so the
 * cost does not grow with the number of tables, routines or roles.
 * https://www.postgresql.org/docs/current/catalog-pg-shdepend.html
 */
export function mentioned(how: 'a' | 'r'): string {
  return `${LOGIN}, mentioned AS MATERIALIZED (
    SELECT DISTINCT entry.classid AS catalog, entry.objid AS object
      FROM pg_catalog.pg_shdepend AS entry JOIN login ON login.oid = entry.refobjid
     WHERE entry.refclassid = ${catalog('pg_authid')} AND entry.deptype = '${how}'
       AND entry.dbid = (SELECT here.oid FROM pg_catalog.pg_database AS here
                          WHERE here.datname = pg_catalog.current_database())
  )`;
}

/** The oid of a catalog, as `pg_shdepend` names it. */
export function catalog(name: string): string {
  return `'pg_catalog.${name}'::pg_catalog.regclass::pg_catalog.oid`;
}
