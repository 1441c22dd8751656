import type pg from 'pg';
import { inTransaction } from '../connection/in-transaction.ts';
import { quoteIdentifier } from '../identifier.ts';
import { takeSuperuserLock } from './superuser-lock.ts';

/** Makes a database unless it exists. */
export async function ensureDatabase(client: pg.ClientBase, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]);
  if (rowCount) return;
  await client.query(`CREATE DATABASE ${quoteIdentifier(name)}`).catch((error: { code?: string }) => {
    // Another process was quicker: duplicate_database, or a violation of its unique index.
    if (error.code !== '42P04' && error.code !== '23505') throw error;
  });
}

// Any constant will do, as long as every keyturn uses the same one.
const PROVISION = '7305804402551094';
/** How long to wait for another process that makes roles, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Makes the owner and the logins of a policy on the embedded PostgreSQL, unless they exist. Logins
 * start as NOLOGIN: the first rotation lets one in. Runs in the policy's database.
 */
export async function provisionLogins(
  client: pg.ClientBase,
  { logins, owner }: { readonly logins: readonly string[]; readonly owner?: string },
): Promise<void> {
  // Two processes may come here at once. On an ordinary start all roles exist, and nothing is
  // locked.
  const { rowCount } = await client.query(
    'SELECT FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::pg_catalog.name[])',
    [[...logins, ...(owner === undefined ? [] : [owner])]],
  );
  if (rowCount === logins.length + (owner === undefined ? 0 : 1)) return;
  await takeSuperuserLock(client, PROVISION, { patience: PATIENCE_MS });
  try {
    await inTransaction(client, async () => {
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
  } finally {
    await client.query('SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)', [PROVISION]);
  }
}

async function createRole(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [name]);
  if (rowCount) return false;
  await client.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN`);
  return true;
}
