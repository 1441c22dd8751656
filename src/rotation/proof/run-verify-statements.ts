import pg from 'pg';
import { factOf, fault } from '../../facts/fault.ts';
import { databaseError } from '../../postgres/connection/database-error.ts';
import { incomingLogin, type RotationContext } from '../context/rotation-context.ts';

/**
 * Runs the policy's `verify` statements in a session of its login. Throws a fault
 * `verify-statement-failed` for the first that fails, and another one where the connection was lost
 * meanwhile: that says nothing of the statement, and is tried again.
 */
export async function runVerifyStatements(context: RotationContext, client: pg.Client): Promise<void> {
  for (const statement of context.policy.verify) {
    try {
      await client.query(statement);
    } catch (cause) {
      const told = databaseError(cause, incomingLogin(context));
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
