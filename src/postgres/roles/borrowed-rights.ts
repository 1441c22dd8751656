import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';
import { readStandings } from './role-standing.ts';

/**
 * Runs `body` with the rights of other roles, because only members of a role can grant, alter and
 * hand over what belongs to it. The rotator makes itself a member for that time. Needs a
 * transaction, so that no other session ever sees those memberships.
 * https://www.postgresql.org/docs/current/sql-grant.html
 */
export async function withRightsOf(
  client: pg.ClientBase,
  roles: readonly string[],
  body: () => Promise<void>,
): Promise<void> {
  const { rows } = await client.query<{ readonly me: string; readonly options: boolean }>(
    `SELECT pg_catalog.quote_ident(current_user) AS me,
            pg_catalog.current_setting('server_version_num')::int >= 160000 AS options`,
  );
  // A SELECT without FROM has one row.
  const { me, options } = rows[0] as (typeof rows)[number];
  const borrowed = [...(await readStandings(client, roles)).values()]
    .filter(({ rights }) => rights !== 'had')
    .map(({ name }) => quoteIdentifier(name));
  for (const role of borrowed) {
    await client.query(`GRANT ${role} TO ${me}${options ? ' WITH INHERIT TRUE, SET TRUE' : ''}`);
  }
  await body();
  // From PostgreSQL 16 on, roles that the rotator created are granted to it by another role too.
  // That stays.
  for (const role of borrowed)
    await client.query(`REVOKE ${role} FROM ${me}${options ? ` GRANTED BY ${me}` : ''}`);
}
