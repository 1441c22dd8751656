import type pg from 'pg';
import { quoteIdentifier } from './identifier.ts';
import { inTransaction } from './in-transaction.ts';

/** Makes a database unless it exists. */
export async function ensureDatabase(client: pg.ClientBase, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]);
  if (rowCount) return;
  await client.query(`CREATE DATABASE ${quoteIdentifier(name)}`).catch((error: { code?: string }) => {
    // Another process was quicker: duplicate_database, or its unique index.
    if (error.code !== '42P04' && error.code !== '23505') throw error;
  });
}

/**
 * Makes the owner and the two logins of a policy on the embedded PostgreSQL, which is keyturn's own, unless they
 * exist. Logins start as NOLOGIN: their first rotation lets one in. Runs in the policy's database.
 */
export async function provisionLogins(
  client: pg.ClientBase,
  { logins, owner }: { readonly logins: readonly string[]; readonly owner?: string },
): Promise<void> {
  await inTransaction(client, async () => {
    // Two processes may come here at once; any fixed key serializes them.
    await client.query('SELECT pg_catalog.pg_advisory_xact_lock(7305804402551094)');
    if (owner !== undefined && (await createRole(client, owner))) {
      await client.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${quoteIdentifier(owner)}`);
    }
    for (const login of logins) {
      if (!(await createRole(client, login)) || owner === undefined) continue;
      const [name, group] = [quoteIdentifier(login), quoteIdentifier(owner)];
      await client.query(`GRANT ${group} TO ${name}`);
      await client.query(`ALTER ROLE ${name} SET role = ${group}`);
    }
  });
}

async function createRole(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [name]);
  if (rowCount) return false;
  await client.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN`);
  return true;
}
