import type pg from 'pg';

/**
 * Identifies a cluster together with its standby servers. Undefined if the rotator may not ask.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA
 */
export async function systemIdentifier(client: pg.ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ allowed: boolean }>(
    `SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS allowed`,
  );
  if (rows[0]?.allowed !== true) return undefined;
  const control = await client.query<{ id: string }>(
    'SELECT system_identifier::pg_catalog.text AS id FROM pg_catalog.pg_control_system()',
  );
  return control.rows[0]?.id;
}
