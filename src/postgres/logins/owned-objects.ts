import type pg from 'pg';
import { prepared } from '../connection/prepared.ts';
import { catalog, LOGIN } from './mentioned.ts';

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
  const { rows } = await client.query<OwnedObjects>(prepared(OWNED, [roles]));
  return rows;
}

// The roles come first: then an index finds what each owns.
const OWNED = `
  WITH ${LOGIN}
  SELECT login.name AS role, database.datname AS database, pg_catalog.count(*)::int AS count,
         coalesce((pg_catalog.array_agg(pg_catalog.pg_describe_object(owned.classid, owned.objid, owned.objsubid)
                             ORDER BY owned.objid)
                   FILTER (WHERE owned.dbid = '0' OR database.datname = pg_catalog.current_database()))[1:3], '{}') AS examples,
         coalesce(pg_catalog.array_agg(pg_catalog.concat(owned.classid, '/', owned.objid))
                  FILTER (WHERE owned.dbid = '0' OR database.datname = pg_catalog.current_database()), '{}') AS ids
    FROM login
    JOIN pg_catalog.pg_shdepend AS owned ON owned.refobjid = login.oid
    LEFT JOIN pg_catalog.pg_database AS database ON database.oid = owned.dbid
   WHERE owned.refclassid = ${catalog('pg_authid')} AND owned.deptype = 'o'
     -- Default privileges and user mappings are recorded like objects, but they go with the role.
     AND owned.classid NOT IN (${catalog('pg_default_acl')}, ${catalog('pg_user_mapping')})
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS relation
                      WHERE owned.classid = ${catalog('pg_class')} AND relation.oid = owned.objid
                        AND database.datname = pg_catalog.current_database() AND relation.relpersistence = 't')
   GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST`;
