import type pg from 'pg';
import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { strangersMessage } from '../../visible.ts';

// insufficient_privilege, and invalid_schema_name, which is what CREATE TABLE calls a schema that
// it may not use: https://www.postgresql.org/docs/current/errcodes-appendix.html
const FORBIDDEN = ['42501', '3F000'];

/**
 * What kept keyturn's tables in a schema of the state database from being made or updated: where a
 * right was missing, a fault `state-tables-forbidden`. CREATE SCHEMA IF NOT EXISTS asks for its
 * right also where the schema is there:
 * https://www.postgresql.org/docs/current/sql-createschema.html
 */
export async function schemaError(cause: unknown, client: pg.ClientBase, schema: string): Promise<unknown> {
  if (!FORBIDDEN.includes(String((cause as { code?: unknown }).code))) return cause;
  const { rows } = await client.query<{
    readonly database: string;
    readonly login: string;
    readonly creates: boolean;
  }>(
    `SELECT pg_catalog.current_database()::pg_catalog.text AS database, current_user::pg_catalog.text AS login,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS creates`,
  );
  const { database = '', login = '', creates = false } = rows[0] ?? {};
  const detail = strangersMessage((cause as Error).message);
  const grant = `GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(login)}`;
  return fault(
    'state-tables-forbidden',
    { schema, detail, isForeign: creates },
    { cause, remedies: creates ? [] : [sql(grant)] },
  );
}
