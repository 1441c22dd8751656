import { execFile } from 'node:child_process';
import { chmod, chown, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Connection } from '../../src/config/config.ts';
import { examineConnection } from '../../src/doctor/examine-connection.ts';
import { adminOf } from '../support/admin.ts';
import { havePgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { freePort, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { openScenario } from '../support/scenario.ts';
import { seen } from './seen.ts';

const DAY_MS = 24 * 60 * 60_000;

function connectionTo(server: { host: string; port: number; user: string; password: string }): Connection {
  const { host, port, user, password } = server;
  return { name: 'db', host, port, user, password, database: 'postgres', tls: { mode: 'disable' } };
}

async function findings(connection: Connection, days = 0) {
  const clock = { now: () => systemClock.now() + days * DAY_MS };
  const { findings: all } = await examineConnection(connection, { clock });
  return all.filter(({ level, about }) => level !== 'ok' && about !== 'clock').map(seen);
}

describe('Of a connection it finds', () => {
  const sound = connectionTo(inject('postgres'));

  test('nothing, where all is well', async () => {
    expect(await findings(sound)).toEqual([]);
  });

  test.each([
    [
      'a server that is not there',
      { port: 1 },
      { code: 'server-unreachable', params: { detail: expect.stringContaining('ECONNREFUSED') } },
    ],
    [
      'a password that is refused',
      { password: 'wrong' },
      { code: 'login-refused', params: { because: 'password' } },
    ],
    [
      'a database that is not there',
      { database: 'nowhere' },
      { code: 'database-missing', params: { place: expect.stringMatching(/\/nowhere$/) } },
    ],
    [
      'TLS that the server does not speak',
      { tls: { mode: 'require' } },
      { code: 'server-has-no-tls', params: { place: expect.any(String) } },
    ],
  ])('%s', async (_what, change, problem) => {
    expect(await findings({ ...sound, ...(change as Partial<Connection>) })).toMatchObject([
      { level: 'fail', about: 'server', ...problem },
    ]);
  });

  test('a replica that is none, and one that is not there; each without keeping the other from being looked at', async () => {
    const { host, port, tls } = sound;
    const replicas = [
      { host, port: 1, tls },
      { host, port, tls },
    ];
    expect(await findings({ ...sound, replicas })).toMatchObject([
      {
        level: 'fail',
        about: 'replica',
        code: 'server-unreachable',
        params: {
          detail: expect.stringContaining('ECONNREFUSED'),
          replica: { name: `${host}:1`, connection: 'db' },
        },
      },
      {
        level: 'fail',
        code: 'replica-not-standby',
        params: { replica: `${host}:${port}`, connection: 'db' },
      },
    ]);
  });
});

describe.skipIf(!havePgBouncer)('Of a PgBouncer it finds', () => {
  test('that it is no server to rotate on, that its console answers who may only look, and that it is down', async () => {
    await using scenario = await openScenario(inject('postgres'));
    await using bouncer = await startPgBouncer(scenario);
    const { connection } = scenario;
    const through = { ...connection, host: bouncer.console.host, port: bouncer.console.port };
    expect(await findings(through)).toMatchObject([
      {
        level: 'fail',
        about: 'server',
        code: 'connection-is-pooler',
        params: { place: expect.stringContaining(`@${through.host}:${through.port}/`) },
      },
    ]);
    const listed = { ...connection, pgbouncer: [bouncer.console] };
    const { findings: all } = await examineConnection(listed, { clock: systemClock });
    expect(all.map(seen)).toContainEqual(
      expect.objectContaining({
        level: 'ok',
        about: 'pgbouncer',
        code: 'pgbouncer-ready',
        params: { pgbouncer: `${through.host}:${through.port}`, user: 'keyturn_console' },
      }),
    );
    await bouncer.stop();
    expect(await findings(listed)).toMatchObject([
      {
        level: 'warn',
        about: 'pgbouncer',
        code: 'pgbouncer-unreachable',
        params: { detail: expect.stringContaining('ECONNREFUSED') },
      },
    ]);
  });
});

describe('Of certificates it finds', () => {
  let server: PostgresServer;
  let connection: Connection;
  const paths = () =>
    ['server.key', 'server.crt'].map((name) => join(server.server.data, name)) as [string, string];

  /** Gives the server a certificate of its own for so many days. */
  async function certify(days: number): Promise<void> {
    const [key, certificate] = paths();
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=127.0.0.1', '-days', String(days), '-keyout', key, '-out', certificate],
    ]);
    await chmod(key, 0o600);
    const { user } = server.server;
    if (user) for (const path of paths()) await chown(path, user.uid, user.gid);
    await using admin = await adminOf(server);
    await admin.client.query('ALTER SYSTEM SET ssl = on');
    await admin.client.query('SELECT pg_reload_conf()');
  }

  beforeAll(async () => {
    server = await startPostgres();
    await certify(20);
    connection = { ...connectionTo(server), tls: { mode: 'require' } };
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('how many days are left, and none once it is renewed', async () => {
    await expect
      .poll(() => findings(connection))
      .toMatchObject([
        {
          level: 'warn',
          about: 'tls',
          code: 'certificate-expires-soon',
          params: {
            certificate: { kind: 'server', host: '127.0.0.1' },
            days: 19,
            until: expect.stringMatching(/^\d{4}-/),
          },
        },
      ]);
    expect(await findings(connection, 21)).toMatchObject([
      {
        level: 'fail',
        about: 'tls',
        code: 'certificate-expired',
        params: {
          certificate: { kind: 'server', host: '127.0.0.1' },
          on: expect.stringMatching(/^\d{4}-/),
        },
      },
    ]);
    const [, certificate] = paths();
    const old = await readFile(certificate, 'utf8');
    await copyFile(certificate, `${certificate}.old`);
    await certify(90);
    await expect.poll(() => findings(connection)).toEqual([]);
    const cert = {
      ...connection,
      tls: { mode: 'require', ca: old + (await readFile(certificate, 'utf8')), cert: old },
    } as const;
    // Of the authorities one will do, and it is good.
    expect(await findings(cert)).toMatchObject([
      {
        level: 'warn',
        code: 'certificate-expires-soon',
        params: { certificate: { kind: 'client' }, days: 19 },
      },
    ]);
  });

  test('what is wrong with a server that became a standby', async () => {
    await server.demote();
    expect(await findings(connection)).toMatchObject([
      {
        level: 'fail',
        about: 'server',
        code: 'server-is-standby',
        params: { server: `${connection.host}:${connection.port}` },
      },
    ]);
  });
});

test('a server that is not there is looked at once, however many policies it has', async () => {
  const port = await freePort();
  expect(await findings({ ...connectionTo(inject('postgres')), port })).toHaveLength(1);
});
