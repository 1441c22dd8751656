import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { readServer } from '../../src/postgres/rotator.ts';
import { adminOf } from '../support/admin.ts';
import {
  haveOlderVersions,
  OLDER_VERSIONS,
  type PostgresServer,
  startPostgres,
} from '../support/postgres-server.ts';
import { openScenario } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

describe.skipIf(!haveOlderVersions).each(OLDER_VERSIONS)('on PostgreSQL %i', (version) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('a rotator that is no superuser rotates four times, each time proved and revoked (G1, G2)', async () => {
    const rotator = uniqueName('rotator');
    await using admin = await adminOf(server);
    expect(Math.trunc((await readServer(admin.client)).version / 10_000)).toBe(version);
    {
      await using scenario = await openScenario(server);
      await admin.client.query(`CREATE ROLE ${rotator} LOGIN CREATEROLE PASSWORD 'rotator-password'`);
      await admin.client.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${rotator}`);
      // Before 16, CREATEROLE alone lets it alter every login that is no superuser.
      for (const login of version >= 16 ? scenario.policy.logins : []) {
        await admin.client.query(
          `GRANT ${quoteIdentifier(login)} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        );
      }
      const limited = scenario.with({
        connection: { ...scenario.connection, user: rotator, password: 'rotator-password' },
      });
      let before: { username: string; password: string } | undefined;
      for (let round = 0; round < 4; round += 1) {
        expect(await limited.finish(await limited.request())).toEqual({ status: 'done' });
        const published = await limited.published();
        expect(published.username).toBe(scenario.policy.logins[round % 2]);
        await using _session = await limited.logIn(published);
        if (before) await expect(limited.logIn(before)).rejects.toMatchObject({ kind: 'authentication' });
        before = published;
      }
    }
    await admin.client.query(`DROP ROLE ${rotator}`);
  });
});
