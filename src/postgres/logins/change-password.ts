import type pg from 'pg';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { alterLogin } from './alter-login.ts';

/**
 * Changes the password of a role and nothing else of it, as any role may do to its own, whatever
 * other rights it has. Needs a transaction that holds the policy's lock.
 * https://www.postgresql.org/docs/current/sql-alterrole.html
 */
export async function changePassword(client: pg.ClientBase, role: string, verifier: string): Promise<void> {
  await alterLogin(client, role, `ALTER ROLE ${quoteIdentifier(role)} PASSWORD ${quoteLiteral(verifier)}`);
}
