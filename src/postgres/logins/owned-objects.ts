import type pg from 'pg';

/**
 * How much of one database belongs to a role itself. `examples` and `ids` are empty for databases
 * that keyturn is not connected to.
 */
export interface OwnedObjects {
  readonly role: string;
  /** Null: shared by the whole cluster, for instance a database. */
  readonly database: string | null;
  readonly count: number;
  readonly examples: readonly string[];
  /** Each object as every session of the database knows it. */
  readonly ids: readonly string[];
}

/**
 * What belongs to these roles in any database of the cluster, except for temporary tables and what
 * `REASSIGN OWNED` does not move. https://www.postgresql.org/docs/current/catalog-pg-shdepend.html:
 * `o` is the owner's entry.
 */
export async function ownedObjects(client: pg.ClientBase, roles: readonly string[]): Promise<OwnedObjects[]> {
  const { rows } = await client.query<OwnedObjects>(
    `SELECT role.rolname AS role, database.datname AS database, pg_catalog.count(*)::int AS count,
            coalesce((pg_catalog.array_agg(pg_catalog.pg_describe_object(owned.classid, owned.objid, owned.objsubid)
                                ORDER BY owned.objid)
                      FILTER (WHERE owned.dbid = '0' OR database.datname = pg_catalog.current_database()))[1:3], '{}') AS examples,
            coalesce(pg_catalog.array_agg(pg_catalog.concat(owned.classid, '/', owned.objid))
                     FILTER (WHERE owned.dbid = '0' OR database.datname = pg_catalog.current_database()), '{}') AS ids
       FROM pg_catalog.pg_shdepend AS owned
       JOIN pg_catalog.pg_roles AS role ON role.oid = owned.refobjid
       LEFT JOIN pg_catalog.pg_database AS database ON database.oid = owned.dbid
      WHERE owned.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid AND owned.deptype = 'o'
        AND role.rolname = ANY ($1)
        -- Default privileges and user mappings are recorded like objects, but they go with the role.
        AND owned.classid NOT IN ('pg_catalog.pg_default_acl'::pg_catalog.regclass::pg_catalog.oid, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass::pg_catalog.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS relation
                         WHERE owned.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND relation.oid = owned.objid
                           AND database.datname = pg_catalog.current_database() AND relation.relpersistence = 't')
      GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST`,
    [roles],
  );
  return rows;
}
