import pg from 'pg';
import { factOf, fault } from '../../facts/fault.ts';
import { databaseError } from '../../postgres/connection/database-error.ts';

/**
 * Runs a policy's `verify` statements in a session of a login. Throws a fault
 * `verify-statement-failed` for the first that fails, and another one where the connection was lost
 * meanwhile: that says nothing of the statement, and is tried again.
 */
export async function runVerifyStatements(
  client: pg.Client,
  { statements, login }: { readonly statements: readonly string[]; readonly login: string },
): Promise<void> {
  for (const statement of statements) {
    try {
      await client.query(statement);
    } catch (cause) {
      const told = databaseError(cause, login);
      if (isLost(cause)) throw told;
      throw fault('verify-statement-failed', { statement, cause: factOf(told) }, { cause });
    }
  }
}

/**
 * Whether a statement failed because its session ended: no server answered it, or one that ends
 * sessions (57P0x).
 */
function isLost(cause: unknown): boolean {
  if (!(cause instanceof pg.DatabaseError)) return true;
  return cause.code === undefined || /^(08|57P0)/.test(cause.code);
}
