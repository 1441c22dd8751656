import type pg from 'pg';

/** Roles of the cluster that can log in, apart from these. */
export async function otherLogins(client: pg.ClientBase, known: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ readonly name: string }>(
    `SELECT rolname::pg_catalog.text AS name FROM pg_catalog.pg_roles
      WHERE rolcanlogin AND rolname <> ALL ($1) ORDER BY rolname`,
    [known],
  );
  return rows.map(({ name }) => name);
}
