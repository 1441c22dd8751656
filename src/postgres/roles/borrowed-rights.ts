import type pg from 'pg';
import { quoteIdentifier } from '../identifier.ts';
import { readStandings } from './role-standing.ts';

/**
 * Runs `body` with the rights of other roles, of which the rotator makes itself a member until then: what belongs to
 * a role is granted, altered and handed over by its members only. Needs a transaction, so that no other session ever
 * sees those memberships.
 * https://www.postgresql.org/docs/current/sql-grant.html
 */
export async function withRightsOf(
  client: pg.ClientBase,
  roles: readonly string[],
  body: () => Promise<void>,
): Promise<void> {
  const { rows } = await client.query(
    `SELECT pg_catalog.quote_ident(current_user) AS me, pg_catalog.current_setting('server_version_num')::int >= 160000 AS options`,
  );
  const { me, options } = rows[0];
  const borrowed = [...(await readStandings(client, roles)).values()]
    .filter(({ rights }) => rights !== 'had')
    .map(({ name }) => quoteIdentifier(name));
  for (const role of borrowed) {
    await client.query(`GRANT ${role} TO ${me}${options ? ' WITH INHERIT TRUE, SET TRUE' : ''}`);
  }
  await body();
  // From PostgreSQL 16 on, a role that was made by the rotator is granted to it by somebody else, too: that stays.
  for (const role of borrowed)
    await client.query(`REVOKE ${role} FROM ${me}${options ? ` GRANTED BY ${me}` : ''}`);
}
