import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tellError } from '../../../src/messages/tell.ts';
import { openPgBouncer } from '../../../src/postgres/sessions/pgbouncer.ts';
import { sessionsOf } from '../../../src/postgres/sessions/sessions.ts';
import { message, startFakePostgres, WELCOME } from '../../support/fake-postgres.ts';
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
  test('tells clients of one login, and which sessions of PostgreSQL it keeps for nobody, in a database of any name', async () => {
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
    const { rows } = await idle.client.query(
      'SELECT pg_catalog.pg_backend_pid() AS pid, inet_client_port() AS port',
    );
    const kept = [{ database, ...rows[0] }];
    expect(await pools()).toEqual([{ database, clients: 2, isAtRest: false }]);
    expect(await console.idleConnections(username)).toEqual(kept);
    await idle[Symbol.asyncDispose]();
    await expect.poll(pools).toEqual([{ database, clients: 1, isAtRest: false }]);
    await busy.client.query('COMMIT');
    expect(await pools()).toEqual([{ database, clients: 1, isAtRest: true }]);
    expect(await console.idleConnections(username)).toHaveLength(2);
    await busy.client.end();
    await expect.poll(pools).toEqual([{ database, clients: 0, isAtRest: true }]);
    expect(await console.idleConnections(username)).toEqual(expect.arrayContaining(kept));
    expect(await console.idleConnections('somebody_else')).toEqual([]);
  });

  test('knows what it kept for so long that it will test it first', async () => {
    await using scenario = await openScenario(server);
    await scenario.finish(await scenario.request());
    await using bouncer = await startPgBouncer(scenario, { server_check_delay: '1' });
    await using console = await openPgBouncer(bouncer.console);
    const { username, password } = await scenario.published();
    const { host, port } = bouncer.console;
    const client = await logInAs(scenario, { username, password }, { host, port });
    await client.client.query('SELECT 1');
    await client[Symbol.asyncDispose]();
    const { user, password: own = '' } = bouncer.console;
    const at = { host, port, database: 'pgbouncer' };
    await using asked = await logInAs(scenario, { username: user, password: own }, at);
    const stateOf = async () => {
      const { rows } = await asked.client.query('SHOW SERVERS');
      return rows.find((row) => row.user === username)?.state;
    };
    await expect.poll(stateOf).toBe('used');
    expect(await console.pools(username)).toMatchObject([{ clients: 0, isAtRest: true }]);
    expect(await console.idleConnections(username)).toHaveLength(1);
  });

  test('counts who comes in by another name as a client of the user that its database forces', async () => {
    await using scenario = await openScenario(server);
    await scenario.finish(await scenario.request());
    const { username: forced, password } = await scenario.published();
    const hba = join(dirname(scenario.folder), 'hba');
    await writeFile(hba, 'host pgbouncer all 0.0.0.0/0 scram-sha-256\nhost all all 0.0.0.0/0 trust\n', {
      mode: 0o644,
    });
    await using bouncer = await startPgBouncer(
      scenario,
      { auth_type: 'hba', auth_hba_file: hba, auth_query: 'SELECT $1::text, NULL::text' },
      { entry: `user=${forced} password=${password}` },
    );
    await using console = await openPgBouncer(bouncer.console);
    const { host, port } = bouncer.console;
    const { database } = scenario.connection;
    const client = await logInAs(scenario, { username: 'anybody', password: '' }, { host, port });
    const { rows } = await client.client.query('SELECT current_user AS name');
    expect(rows).toEqual([{ name: forced }]);
    expect(await console.pools(forced)).toEqual([{ database, clients: 1, isAtRest: true }]);
    expect(await console.idleConnections(forced)).toHaveLength(1);
    await client[Symbol.asyncDispose]();
    await expect.poll(() => console.pools(forced)).toMatchObject([{ clients: 0 }]);
    await rm(hba);
  });

  test('knows sessions that came by a Unix socket', async () => {
    await using local = await startPostgres({ settings: { unix_socket_directories: '.' } });
    await using scenario = await openScenario(local);
    await scenario.finish(await scenario.request());
    await using bouncer = await startPgBouncer(scenario, {}, { entry: `host=${local.server.data}` });
    await using console = await openPgBouncer(bouncer.console);
    const { username, password } = await scenario.published();
    const { host, port } = bouncer.console;
    await using client = await logInAs(scenario, { username, password }, { host, port });
    const { rows } = await client.client.query('SELECT pg_catalog.pg_backend_pid() AS pid');
    const [session] = (await sessionsOf(scenario.admin, [username])).get(username) ?? [];
    expect(session).toMatchObject({ pid: rows[0].pid, port: -1, address: null });
    expect(await console.idleConnections(username)).toMatchObject([{ pid: session?.pid, port: -1 }]);
  });

  test('waits for a login that has begun, and for a moment only', async () => {
    await using scenario = await openScenario(server);
    await scenario.finish(await scenario.request());
    await using bouncer = await startPgBouncer(scenario);
    await using console = await openPgBouncer(bouncer.console);
    const { username, password } = await scenario.published();
    const { host, port } = bouncer.console;
    const { database } = scenario.connection;
    let asked = () => {};
    const isAsked = new Promise<void>((done) => {
      asked = done;
    });
    let answer = (_: string) => {};
    const client = new pg.Client({
      ...{ host, port, database, user: username },
      password: () => {
        asked();
        return new Promise<string>((done) => {
          answer = done;
        });
      },
    });
    const connected = client.connect();
    await isAsked;
    expect(await console.pools(username)).toMatchObject([{ clients: 0 }]);
    await console.awaitLogins('somebody_else');
    // Nobody answers, so this returns by itself.
    await console.awaitLogins(username);
    const waiting = console.awaitLogins(username);
    answer(password);
    await Promise.all([connected, waiting]);
    expect(await console.pools(username)).toMatchObject([{ clients: 1 }]);
    await client.end();
  });

  test('that refuses a command, has no TLS, or does not hang up, is left with a fault that names it', async () => {
    await using scenario = await openScenario(server);
    await using bouncer = await startPgBouncer(scenario);
    const { user, port } = bouncer.console;
    const place = `${user}@127.0.0.1:${port}/pgbouncer`;
    const withTls = openPgBouncer({ ...bouncer.console, tls: { mode: 'verify-full' } });
    await expect(withTls).rejects.toMatchObject({ fact: { code: 'server-has-no-tls', params: { place } } });

    await using impostor = await startFakePostgres({ hangsUp: false });
    const refusal = ['SERROR', 'C08P01', "Minvalid command 'SHOW POOLS', use SHOW HELP;", ''];
    const error = message('E', Buffer.from(`${refusal.join('\0')}\0`));
    impostor.play([() => WELCOME, () => Buffer.concat([error, message('Z', Buffer.from('I'))])]);
    const settings = { ...bouncer.console, port: impostor.port, password: '' };
    {
      await using console = await openPgBouncer(settings);
      await expect(console.pools('app')).rejects.toMatchObject({
        fact: {
          code: 'pgbouncer-command-refused',
          params: {
            place: `${user}@127.0.0.1:${impostor.port}/pgbouncer`,
            detail: expect.stringContaining('SHOW POOLS'),
          },
        },
      });
    }
    expect(impostor.heard.join()).toContain('SHOW POOLS');
  });

  test('that refuses a user, or is not there, has an advice of its own', async () => {
    await using scenario = await openScenario(server);
    await using bouncer = await startPgBouncer(scenario);
    const wrong = openPgBouncer({ ...bouncer.console, password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ fact: { code: 'pgbouncer-login-refused' } });
    expect(await wrong.catch(tellError)).toMatch(
      /; check the user and password, and that auth_file and stats_users/,
    );
    const away = openPgBouncer({ ...bouncer.console, port: await freePort() });
    await expect(away).rejects.toMatchObject({
      fact: { code: 'pgbouncer-unreachable', params: { detail: expect.stringContaining('ECONNREFUSED') } },
    });
    expect(await away.catch(tellError)).toMatch(/; check host, port and firewall, that this PgBouncer is up/);
  });
});
