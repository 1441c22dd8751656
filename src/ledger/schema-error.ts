import type pg from 'pg';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';

// insufficient_privilege, and invalid_schema_name, which is what CREATE TABLE calls a schema that it may not use:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const FORBIDDEN = ['42501', '3F000'];

/**
 * What kept keyturn's tables in a schema of the state database from being made or updated; where a right was missing, with
 * what mends that. CREATE SCHEMA IF NOT EXISTS asks for its right also where the schema is there:
 * https://www.postgresql.org/docs/current/sql-createschema.html
 */
export async function schemaError(cause: unknown, client: pg.ClientBase, schema: string): Promise<unknown> {
  if (!FORBIDDEN.includes(String((cause as { code?: unknown }).code))) return cause;
  const { rows } = await client.query(
    `SELECT pg_catalog.current_database() AS database, current_user AS login,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS creates`,
  );
  const [database, login] = [rows[0].database, rows[0].login].map(quoteIdentifier);
  const remedy = rows[0].creates
    ? `${schema} there belongs to another role; name that one in state.database, or another database`
    : `run: GRANT CREATE ON DATABASE ${database} TO ${login}`;
  const told = `the tables in schema ${schema} cannot be made or updated: ${(cause as Error).message}`;
  return new DatabaseError('privilege', `${told}; ${remedy}`, { cause });
}
