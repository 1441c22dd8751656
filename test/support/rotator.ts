import { randomBytes } from 'node:crypto';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import type { Scenario } from './scenario.ts';

/** A scenario whose rotator is no superuser and has just the rights that keyturn asks for. */
export async function withLimitedRotator(
  scenario: Scenario,
): Promise<AsyncDisposable & { readonly limited: Scenario; readonly rotator: string }> {
  const { admin } = scenario;
  const rotator = `rotator_${randomBytes(4).toString('hex')}`;
  await admin.query(`CREATE ROLE ${rotator} LOGIN CREATEROLE PASSWORD 'rotator-password'`);
  await admin.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${rotator}`);
  const { rows } = await admin.query("SELECT current_setting('server_version_num')::int >= 160000 AS admin");
  // Up to PostgreSQL 15 CREATEROLE is enough.
  for (const login of rows[0].admin ? scenario.policy.logins : []) {
    await admin.query(
      `GRANT ${quoteIdentifier(login)} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
    );
  }
  return {
    rotator,
    limited: scenario.with({
      connection: { ...scenario.connection, user: rotator, password: 'rotator-password' },
    }),
    async [Symbol.asyncDispose]() {
      await admin.query(`DROP OWNED BY ${rotator}`);
      await admin.query(`DROP ROLE ${rotator}`);
    },
  };
}
