import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isWrongRequest } from '../../src/facts/wrong-request.ts';
import { tellError } from '../../src/messages/tell.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { missingPrivileges } from '../../src/postgres/connection/rotator.ts';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import { rotatorScript } from '../../src/postgres/roles/rotator-script.ts';
import { PLATFORM_NAMES, platformOf } from '../../src/roles/platform.ts';
import { adminOf } from '../support/admin.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { openScenario } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

/**
 * Plain roles in place of a platform's, with the rights that its documentation tells of, for an
 * administrator.
 */
const STAND_INS: Readonly<Record<string, { readonly group: string; readonly rights: string }>> = {
  rds: { group: 'rds_superuser', rights: 'pg_monitor, pg_signal_backend, rds_password' },
  'cloud-sql': { group: 'cloudsqlsuperuser', rights: 'pg_monitor, pg_signal_backend' },
  azure: { group: 'azure_pg_admin', rights: 'pg_read_all_stats, pg_signal_backend' },
  supabase: { group: 'postgres', rights: 'pg_monitor, pg_signal_backend' },
  render: { group: 'render_default', rights: 'pg_monitor, pg_signal_backend' },
};

describe.skipIf(!haveOlderVersions).each([14, 16] as const)('on PostgreSQL %i', (version) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ version });
    await using admin = await adminOf(server);
    await admin.client.query('CREATE ROLE rds_password');
    for (const { group, rights } of Object.values(STAND_INS)) {
      await admin.client.query(`DROP ROLE IF EXISTS ${group}; CREATE ROLE ${group} CREATEROLE CREATEDB`);
      await admin.client.query(`GRANT ${rights} TO ${group} WITH ADMIN OPTION`);
    }
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(Object.keys(STAND_INS))(
    'the script for %s creates a rotator when an administrator runs it twice (plain roles stand in for the platform)',
    async (name) => {
      await using scenario = await openScenario(server);
      const { admin, connection } = scenario;
      const { group = '' } = STAND_INS[name] ?? {};
      const [master, rotator] = [uniqueName('master'), uniqueName('rotator')];
      const password = randomBytes(12).toString('hex');
      await admin.query(`CREATE ROLE ${master} LOGIN CREATEROLE CREATEDB PASSWORD ${quoteLiteral(password)}`);
      await admin.query(`GRANT ${group} TO ${master}`);
      await admin.query(`ALTER DATABASE ${quoteIdentifier(connection.database)} OWNER TO ${master}`);
      await admin.query(`ALTER SCHEMA public OWNER TO ${master}`);
      await admin.query(
        `GRANT ${scenario.policy.logins.map(quoteIdentifier).join(', ')} TO ${master} WITH ADMIN OPTION`,
      );
      // Amazon RDS knows this setting; elsewhere PostgreSQL keeps it as one of an extension that is
      // not there.
      if (name === 'rds') {
        await admin.query(
          `ALTER DATABASE ${quoteIdentifier(connection.database)} SET rds.restrict_password_commands = 'on'`,
        );
      }
      const script = rotatorScript({
        rotator,
        database: connection.database,
        verifier: scramVerifier(password),
        roles: scenario.policy.logins,
        schemas: ['public'],
        mayCreate: true,
        managed: platformOf(name),
      })
        .map(({ sql }) => sql)
        .join('\n');
      {
        await using session = await connect({ ...connection, user: master, password });
        for (let time = 0; time < 2; time += 1) await session.client.query(`BEGIN; ${script} COMMIT`);
      }

      const limited = scenario.with({ connection: { ...connection, user: rotator, password } });
      {
        await using session = await connect(limited.connection);
        const lacking = await missingPrivileges(session.client, scenario.policy.logins, {
          mayTerminate: true,
        });
        expect(lacking).toEqual([]);
        const { rows } = await session.client.query(
          "SELECT pg_has_role(current_user, 'rds_password', 'MEMBER') AS sets, pg_has_role(current_user, 'pg_monitor', 'MEMBER') AS monitors",
        );
        // No more than it takes: the whole of pg_monitor only where its part cannot be granted.
        const onlyMonitor = version >= 16 && name !== 'azure';
        expect(rows[0]).toEqual({ sets: name === 'rds', monitors: onlyMonitor });
      }
      expect(await limited.finish(await limited.request())).toEqual({ status: 'done' });
    },
  );
});

test.each([
  ['neon', { code: 'neon-unsupported' }, /^Neon takes passwords in plain text only/],
  ['heroku', { code: 'heroku-unsupported' }, /^Heroku creates the credentials .* itself/],
  [
    'elsewhere',
    { code: 'platform-unknown', params: { platform: 'elsewhere' } },
    /^There is no platform "elsewhere"; choose .*rds/,
  ],
  ['toString', { code: 'platform-unknown' }, /^There is no platform "toString"/],
])('for %s nothing is printed, and the message says why', (name, refusal, message) => {
  const error = thrownBy(() => platformOf(name));
  expect(error).toMatchObject({ fact: refusal });
  expect(isWrongRequest(error)).toBe(true);
  expect(tellError(error)).toMatch(message);
});

test('every platform that is offered is tested here, or refused', () => {
  const unfit = PLATFORM_NAMES.filter((name) => !Object.hasOwn(STAND_INS, name));
  expect(unfit).toEqual(['neon', 'heroku']);
});

function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
