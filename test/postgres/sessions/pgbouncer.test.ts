import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tellError } from '../../../src/messages/tell.ts';
import { openPgBouncer } from '../../../src/postgres/sessions/pgbouncer.ts';
import { countSessions } from '../../support/draining.ts';
import { logInAs } from '../../support/old-client.ts';
import { havePgBouncer, startPgBouncer } from '../../support/pgbouncer.ts';
import { freePort, type PostgresServer, startPostgres } from '../../support/postgres-server.ts';
import { openScenario } from '../../support/scenario.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

describe.skipIf(!havePgBouncer)('the setup of the docs', () => {
  test.each([
    ['may not log in', 'NOLOGIN'],
    ['has expired', "LOGIN VALID UNTIL '2020-01-01'"],
    ['is a superuser', 'LOGIN SUPERUSER'],
  ])('lets no login in that %s, though it knows the password', async (_, attributes) => {
    await using scenario = await openScenario(server);
    await using bouncer = await startPgBouncer(scenario);
    const [username] = scenario.policy.logins;
    const { host, port } = bouncer.console;
    const logIn = () => logInAs(scenario, { username, password: 'by-hand' }, { host, port });
    const alter = (to: string) => scenario.admin.query(`ALTER ROLE ${username} ${to}`);
    await alter("LOGIN PASSWORD 'by-hand'");
    await (await logIn())[Symbol.asyncDispose]();
    await alter(attributes);
    await expect(logIn()).rejects.toThrow('no such user');
  });

  test('gives verifiers to PgBouncer alone, and only by its function (G3)', async () => {
    await using scenario = await openScenario(server);
    await using _bouncer = await startPgBouncer(scenario);
    await scenario.finish(await scenario.request());
    const { username } = await scenario.published();
    const as = async (role: string, statement: string) => {
      await scenario.admin.query(`SET ROLE ${role}`);
      try {
        return (await scenario.admin.query(statement)).rows;
      } finally {
        await scenario.admin.query('RESET ROLE');
      }
    };
    const lookUp = `SELECT login, verifier FROM pgbouncer.login('${username}')`;
    expect(await as('pgbouncer_auth', lookUp)).toEqual([
      { login: username, verifier: expect.stringMatching(/^SCRAM-SHA-256\$/) },
    ]);
    await expect(as('pgbouncer_auth', 'SELECT rolpassword FROM pg_authid')).rejects.toThrow(
      'permission denied',
    );
    await scenario.admin.query(`GRANT USAGE ON SCHEMA pgbouncer TO ${username}`);
    await expect(as(username, lookUp)).rejects.toThrow('permission denied for function login');
  });
});

describe.skipIf(!havePgBouncer)('the console of a PgBouncer', () => {
  test('tells clients and server connections of one login, and closes what nobody uses, in a database of any name', async () => {
    await using scenario = await openScenario(server, { database: `O'Neil "1" -- ; RECONNECT` });
    await scenario.finish(await scenario.request());
    await using bouncer = await startPgBouncer(scenario);
    await using console = await openPgBouncer(bouncer.console);
    const { username, password } = await scenario.published();
    const { host, port } = bouncer.console;
    const { database } = scenario.connection;
    const pools = () => console.pools(username);
    expect(await pools()).toEqual([]);

    await using busy = await logInAs(scenario, { username, password }, { host, port });
    const idle = await logInAs(scenario, { username, password }, { host, port });
    await busy.client.query('BEGIN');
    await idle.client.query('SELECT 1');
    expect(await pools()).toEqual([{ database, clients: 2, serverConnections: 2 }]);
    await idle[Symbol.asyncDispose]();
    await expect.poll(pools).toEqual([{ database, clients: 1, serverConnections: 2 }]);

    await console.reconnect(database);
    await expect.poll(() => countSessions(scenario, username)).toBe(1);
    expect(await pools()).toEqual([{ database, clients: 1, serverConnections: 1 }]);
    await busy.client.query('COMMIT');
    await expect.poll(() => countSessions(scenario, username)).toBe(0);
  });

  test('names what it refuses, with the place and a remedy', async () => {
    await using scenario = await openScenario(server);
    await using bouncer = await startPgBouncer(scenario);
    await using console = await openPgBouncer(bouncer.console);
    const { user, port } = bouncer.console;
    const place = `${user}@127.0.0.1:${port}/pgbouncer`;
    await expect(console.reconnect('pgbouncer')).rejects.toMatchObject({
      fact: {
        code: 'pgbouncer-command-refused',
        params: { place, detail: 'cannot reconnect admin db: pgbouncer' },
      },
    });
    const withTls = openPgBouncer({ ...bouncer.console, tls: { mode: 'verify-full' } });
    await expect(withTls).rejects.toMatchObject({ fact: { code: 'server-has-no-tls', params: { place } } });
  });

  test('that refuses a user, or is not there, has an advice of its own', async () => {
    await using scenario = await openScenario(server);
    await using bouncer = await startPgBouncer(scenario);
    const wrong = openPgBouncer({ ...bouncer.console, password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ fact: { code: 'pgbouncer-login-refused' } });
    expect(await wrong.catch(tellError)).toMatch(
      /; check the user and password, and that auth_file and admin_users/,
    );
    const away = openPgBouncer({ ...bouncer.console, port: await freePort() });
    await expect(away).rejects.toMatchObject({
      fact: { code: 'pgbouncer-unreachable', params: { detail: expect.stringContaining('ECONNREFUSED') } },
    });
    expect(await away.catch(tellError)).toMatch(/; check host, port and firewall, that this PgBouncer is up/);
  });
});
