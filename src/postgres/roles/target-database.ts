import type pg from 'pg';

/** The connected database, as far as it matters to who may connect. */
export interface TargetDatabase {
  readonly name: string;
  readonly owner: string;
  readonly letsEverybodyConnect: boolean;
  /** Whether the rotator may let others connect. */
  readonly mayLetConnect: boolean;
}

export async function readTargetDatabase(client: pg.ClientBase): Promise<TargetDatabase> {
  const { rows } = await client.query<TargetDatabase>(
    `SELECT datname::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(datdba)::pg_catalog.text AS owner,
            EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(datacl, pg_catalog.acldefault('d', datdba))) AS entry
                     WHERE entry.grantee = '0' AND entry.privilege_type = 'CONNECT') AS "letsEverybodyConnect",
            pg_catalog.has_database_privilege(oid, 'CONNECT WITH GRANT OPTION') AS "mayLetConnect"
       FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
  );
  const [database] = rows;
  if (!database) throw new Error('The connected database is not in pg_database');
  return database;
}
