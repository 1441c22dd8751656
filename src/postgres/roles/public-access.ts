import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';

/** A pool will do as well. */
type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Whether every login of the server may connect to the connected database, which is PostgreSQL's
 * default.
 * https://www.postgresql.org/docs/current/ddl-priv.html
 */
export async function isOpenToPublic(client: Queryable): Promise<boolean> {
  return hasRows(client, PUBLIC_DATABASE, [null, 'CONNECT']);
}

/**
 * Revokes all privileges on a database of keyturn's own from PUBLIC, so that no login of a policy
 * gets in.
 */
export async function closeDatabase(client: Queryable, database: string): Promise<void> {
  await untilClosed(client, `REVOKE ALL ON DATABASE ${quoteIdentifier(database)} FROM PUBLIC`, () =>
    hasRows(client, PUBLIC_DATABASE, [database, 'CONNECT, TEMPORARY']),
  );
}

/** Revokes the privilege to create in the schema `public` of the connected database from PUBLIC. */
export async function closeSchema(client: Queryable): Promise<void> {
  await untilClosed(client, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC', () =>
    hasRows(client, PUBLIC_SCHEMA),
  );
}

/**
 * $1: the database, null for the connected one; $2: privileges, of which PUBLIC has at least one.
 */
const PUBLIC_DATABASE = `
  SELECT FROM pg_catalog.pg_database AS d
   WHERE d.datname OPERATOR(pg_catalog.=) coalesce($1::pg_catalog.name, pg_catalog.current_database())
     AND pg_catalog.has_database_privilege('public'::pg_catalog.name, d.oid, $2::pg_catalog.text)`;

const PUBLIC_SCHEMA = `
  SELECT FROM pg_catalog.pg_namespace AS n
   WHERE n.nspname OPERATOR(pg_catalog.=) 'public'::pg_catalog.name
     AND pg_catalog.has_schema_privilege('public'::pg_catalog.name, n.oid, 'CREATE'::pg_catalog.text)`;

async function hasRows(client: Queryable, sql: string, values: unknown[] = []): Promise<boolean> {
  const { rowCount } = await client.query(sql, values);
  return rowCount !== 0;
}

/**
 * Only where there is something to revoke: two processes that alter the same row at once fail each
 * other.
 */
async function untilClosed(client: Queryable, revoke: string, isOpen: () => Promise<boolean>): Promise<void> {
  if (!(await isOpen())) return;
  await client.query(revoke).catch(async (error) => {
    if (await isOpen()) throw error;
  });
}
