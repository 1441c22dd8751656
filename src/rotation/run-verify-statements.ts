import type pg from 'pg';
import { databaseError } from '../postgres/database-error.ts';
import { Refusal } from './refusal.ts';
import { incomingLogin, type RotationContext } from './rotation-context.ts';

/** Runs the policy's `verify` statements in a session of its login. Throws a Refusal that names the first that fails. */
export async function runVerifyStatements(context: RotationContext, client: pg.Client): Promise<void> {
  for (const statement of context.policy.verify) {
    try {
      await client.query(statement);
    } catch (cause) {
      const { message } = databaseError(cause, incomingLogin(context));
      throw new Refusal(`The verify statement ${JSON.stringify(statement)} failed as ${message}`, { cause });
    }
  }
}
