import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';

/** Takes from PUBLIC what it may do in a database of keyturn's own, so that no login of a policy gets in. */
export async function closeDatabase(client: pg.ClientBase, database: string): Promise<void> {
  await untilClosed(
    client,
    `SELECT 1 FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) ${literal(client, database)}
       AND (pg_catalog.has_database_privilege('public'::pg_catalog.name, d.oid, 'CONNECT'::pg_catalog.text)
         OR pg_catalog.has_database_privilege('public'::pg_catalog.name, d.oid, 'TEMPORARY'::pg_catalog.text))`,
    `REVOKE ALL ON DATABASE ${quoteIdentifier(database)} FROM PUBLIC`,
  );
}

/** Takes from PUBLIC what it may make in the schema `public` of this database. */
export async function closeSchema(client: pg.ClientBase): Promise<void> {
  await untilClosed(
    client,
    `SELECT 1 FROM pg_catalog.pg_namespace AS n WHERE n.nspname OPERATOR(pg_catalog.=) 'public'::pg_catalog.name
       AND pg_catalog.has_schema_privilege('public'::pg_catalog.name, n.oid, 'CREATE'::pg_catalog.text)`,
    'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
  );
}

/** Only where there is something to take: two processes that altered the same row at once would fail each other. */
async function untilClosed(client: pg.ClientBase, isOpen: string, close: string): Promise<void> {
  const open = async () => (await client.query(isOpen)).rowCount !== 0;
  if (!(await open())) return;
  await client.query(close).catch(async (error) => {
    if (await open()) throw error;
  });
}

function literal(client: pg.ClientBase, text: string): string {
  return `${client.escapeLiteral(text)}::pg_catalog.name`;
}
