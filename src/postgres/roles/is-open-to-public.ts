import type pg from 'pg';

/**
 * Whether every login of the server may connect to the connected database, as is PostgreSQL's default.
 * https://www.postgresql.org/docs/current/ddl-priv.html
 */
export async function isOpenToPublic(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_database AS each
      CROSS JOIN LATERAL pg_catalog.aclexplode(
        coalesce(each.datacl, pg_catalog.acldefault('d'::pg_catalog."char", each.datdba))) AS granted
      WHERE each.datname = pg_catalog.current_database()
        AND granted.grantee = 0::pg_catalog.oid AND granted.privilege_type = 'CONNECT'::pg_catalog.text`,
  );
  return rowCount !== 0;
}
