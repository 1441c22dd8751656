import type pg from 'pg';

/** In the order in which they are shown. */
const KINDS = ['schema', 'table', 'sequence', 'future tables', 'future sequences'] as const;

/** `future …` are the default privileges of what one role will create in one schema. */
export type GrantableKind = (typeof KINDS)[number];

export interface Held {
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  /** Who granted it; null for the owner. */
  readonly grantor: string | null;
  /** Whether it is on some columns only. */
  readonly columns: boolean;
}

/** One object on which privileges are granted, and who has which. */
export interface Grantable {
  readonly kind: GrantableKind;
  readonly schema: string;
  /** Null for a schema, and for what does not exist yet. */
  readonly name: string | null;
  /**
   * The role whose rights it takes to grant on it. For pg_database_owner, the owner of the
   * database.
   */
  readonly owner: string;
  /** What the rotator may grant with its own rights. For schemas only. */
  readonly passable: readonly string[];
  readonly held: readonly Held[];
}

/** $1: grantees, $2: schemas, $3: creators, $4: kinds. */
const GRANTABLES = `
   WITH space AS (
     SELECT schema.oid, schema.nspname, schema.nspowner,
            coalesce(schema.nspacl, pg_catalog.acldefault('n', schema.nspowner)) AS acl,
            CASE WHEN pg_catalog.pg_get_userbyid(schema.nspowner) = 'pg_database_owner' THEN database.datdba
                 ELSE schema.nspowner END AS owner
       FROM pg_catalog.pg_namespace AS schema
       JOIN pg_catalog.pg_database AS database ON database.datname = pg_catalog.current_database()
      WHERE schema.nspname = ANY ($2)),
   relation AS (
     SELECT class.oid, class.relname, class.relowner, space.nspname,
            coalesce(class.relacl, pg_catalog.acldefault('r', class.relowner)) AS acl,
            CASE class.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
       FROM pg_catalog.pg_class AS class
       JOIN space ON space.oid = class.relnamespace
      WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND class.relpersistence <> 't'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS part
                         WHERE part.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND part.objid = class.oid
                           AND part.deptype = 'e')),
   creator AS (
     SELECT relowner AS oid FROM relation
     UNION SELECT owner FROM space JOIN pg_catalog.pg_roles AS role ON role.oid = space.owner WHERE NOT role.rolsuper
     UNION SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ANY ($3)
     UNION SELECT future.defaclrole
             FROM pg_catalog.pg_default_acl AS future
             JOIN space ON space.oid = future.defaclnamespace
            CROSS JOIN pg_catalog.aclexplode(future.defaclacl) AS entry
            WHERE pg_catalog.pg_get_userbyid(entry.grantee) = ANY ($1)),
   thing AS (
     SELECT 'schema' AS kind, nspname, NULL::pg_catalog.name AS name, owner, nspowner AS granting, acl, NULL::pg_catalog.oid AS relation,
            pg_catalog.array_remove(ARRAY[
              CASE WHEN pg_catalog.has_schema_privilege(oid, 'USAGE WITH GRANT OPTION') THEN 'USAGE' END,
              CASE WHEN pg_catalog.has_schema_privilege(oid, 'CREATE WITH GRANT OPTION') THEN 'CREATE' END], NULL) AS passable
       FROM space
     UNION ALL SELECT kind, nspname, relname, relowner, relowner, acl, oid, '{}' FROM relation
     UNION ALL
     SELECT sort.kind, space.nspname, NULL, creator.oid, creator.oid, future.defaclacl, NULL, '{}'
       FROM creator CROSS JOIN space
      CROSS JOIN (VALUES ('future tables', 'r'::pg_catalog."char"), ('future sequences', 'S')) AS sort (kind, letter)
       LEFT JOIN pg_catalog.pg_default_acl AS future
         ON future.defaclrole = creator.oid AND future.defaclnamespace = space.oid
        AND future.defaclobjtype = sort.letter)
   SELECT thing.kind, thing.nspname AS schema, thing.name, pg_catalog.pg_get_userbyid(thing.owner) AS owner, thing.passable,
          coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                      'grantee', CASE WHEN entry.grantee <> '0' THEN pg_catalog.pg_get_userbyid(entry.grantee) END,
                      'privilege', entry.privilege_type, 'columns', entry.columns,
                      'grantor', CASE WHEN entry.grantor <> thing.granting THEN pg_catalog.pg_get_userbyid(entry.grantor) END))
                      FROM (SELECT *, false AS columns FROM pg_catalog.aclexplode(thing.acl)
                            UNION ALL
                            SELECT piece.*, true FROM pg_catalog.pg_attribute AS attribute
                             CROSS JOIN pg_catalog.aclexplode(attribute.attacl) AS piece
                             WHERE attribute.attrelid = thing.relation AND attribute.attacl IS NOT NULL) AS entry
                     WHERE entry.grantee = '0' OR pg_catalog.pg_get_userbyid(entry.grantee) = ANY ($1)), '[]') AS held
     FROM thing ORDER BY pg_catalog.array_position($4, thing.kind), thing.nspname, thing.name`;

/**
 * Schemas, what is in them (tables, views and sequences, except those of extensions), and what will
 * be created: for each role that owns something there, each of `creators`, and each owner of a
 * schema that is no superuser.
 * https://www.postgresql.org/docs/current/catalog-pg-default-acl.html
 */
export async function readGrantables(
  client: pg.ClientBase,
  {
    grantees,
    schemas,
    creators,
  }: {
    readonly grantees: readonly string[];
    readonly schemas: readonly string[];
    readonly creators: readonly string[];
  },
): Promise<Grantable[]> {
  const { rows } = await client.query<Grantable>(GRANTABLES, [grantees, schemas, creators, KINDS]);
  return rows;
}

/** Which of these schemas the connected database has. */
export async function existingSchemas(client: pg.ClientBase, schemas: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ readonly name: string }>(
    'SELECT nspname::pg_catalog.text AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1)',
    [schemas],
  );
  return rows.map(({ name }) => name);
}
