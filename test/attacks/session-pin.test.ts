import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openStatePool } from '../../src/ledger/open-state-pool.ts';
import { connect, type Target } from '../../src/postgres/connection/connect.ts';
import { remembering } from '../../src/postgres/connection/session-pin.ts';
import { migrateQueue } from '../../src/queue/migrate-queue.ts';
import { openBullQueue } from '../../src/queue/open-bull-queue.ts';
import { adminOf } from '../support/admin.ts';
import { uniqueName } from '../support/unique-name.ts';

/** What an attacker has set for the database and for the role that logs in. */
const HOSTILE: Readonly<Record<string, string>> = {
  search_path: 'public',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  default_transaction_isolation: 'serializable',
  lock_timeout: '1',
  statement_timeout: '60000',
  idle_in_transaction_session_timeout: '60000',
  idle_session_timeout: '60000',
  transaction_timeout: '60000',
  synchronous_commit: 'off',
  createrole_self_grant: 'set',
  standard_conforming_strings: 'off',
  row_security: 'on',
  exit_on_error: 'on',
  jit: 'on',
};

const database = uniqueName('pinned');
const [login, other, weak] = [uniqueName('log'), uniqueName('oth'), uniqueName('weak')];
const password = 'the same for both';
const server = inject('postgres');
const target: Target = remembering({
  ...{ host: server.host, port: server.port, database, user: login, password },
  tls: { mode: 'disable' },
});

beforeAll(async () => {
  await using admin = await adminOf(server);
  const settings = Object.entries(HOSTILE).map(([name, value]) => `SET ${name} TO '${value}'`);
  const statements = [
    `CREATE DATABASE ${database}`,
    `CREATE ROLE ${weak}`,
    ...[login, other].map((role) => `CREATE ROLE ${role} LOGIN PASSWORD '${password}' IN ROLE ${weak}`),
    `GRANT CREATE ON DATABASE ${database} TO ${login}`,
    ...settings.flatMap((set) => [`ALTER DATABASE ${database} ${set}`, `ALTER ROLE ${login} ${set}`]),
    `ALTER ROLE ${login} SET role TO ${weak}`,
  ];
  for (const statement of statements) await admin.client.query(statement);
});

afterAll(async () => {
  await using admin = await adminOf(server);
  await admin.client.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.client.query(`DROP ROLE ${login}, ${other}, ${weak}`);
});

async function settingsOf(client: pg.ClientBase): Promise<Record<string, string>> {
  const { rows } = await client.query(
    `SELECT name, setting FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) ANY ($1)`,
    [Object.keys(HOSTILE)],
  );
  const who = await client.query('SELECT session_user AS session, current_user AS current');
  return { ...Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), ...who.rows[0] };
}

const PINNED = {
  search_path: 'pg_catalog',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'read committed',
  idle_in_transaction_session_timeout: '30000',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  synchronous_commit: 'on',
  createrole_self_grant: '',
  standard_conforming_strings: 'on',
  row_security: 'off',
  exit_on_error: 'off',
  jit: 'off',
  session: login,
  current: login,
};

describe('what was set for a database and for a login is not in force', () => {
  test('in a session that changes roles', async () => {
    await using session = await connect(target);
    expect(await settingsOf(session.client)).toEqual({
      ...PINNED,
      statement_timeout: '30000',
      lock_timeout: '2000',
    });
  });

  test('in sessions of the ledger', async () => {
    const pool = await openStatePool(target, () => {});
    try {
      const limits = { statement_timeout: '0', lock_timeout: '30000' };
      const client = await pool.connect();
      expect(await settingsOf(client)).toEqual({ ...PINNED, ...limits });
      client.release();
      await migrateQueue(pool);
    } finally {
      await pool.end();
    }
  });

  test("in BullMQ's own sessions, which search its schema after pg_catalog", async () => {
    const clients: pg.Client[] = [];
    const { connect: dialing } = pg.Client.prototype;
    pg.Client.prototype.connect = function (this: pg.Client, ...args: unknown[]) {
      clients.push(this);
      return Reflect.apply(dialing, this, args);
    } as typeof dialing;
    const { bull: queue } = openBullQueue({ database: target }, {});
    try {
      await queue.waitUntilReady();
      const [client] = clients;
      const limits = { statement_timeout: '0', lock_timeout: '30000', search_path: '"bullmq"' };
      expect(client && (await settingsOf(client))).toEqual({ ...PINNED, ...limits });
    } finally {
      pg.Client.prototype.connect = dialing;
      await queue.close();
    }
  });

  test('but is where a login is proved, as far as it does not end the session', async () => {
    await using session = await connect(target, { kind: 'consumer' });
    expect(await settingsOf(session.client)).toMatchObject({
      search_path: 'public',
      default_transaction_read_only: 'on',
      current: weak,
      session: login,
      statement_timeout: '30000',
      idle_session_timeout: '0',
      transaction_timeout: '0',
      exit_on_error: 'off',
    });
  });

  test('but a level of synchronous_commit that is more than on is kept', async () => {
    await using admin = await adminOf(server);
    await admin.client.query(`ALTER ROLE ${login} SET synchronous_commit TO remote_apply`);
    await using session = await connect(target);
    expect(await settingsOf(session.client)).toMatchObject({ synchronous_commit: 'remote_apply' });
  });
});

describe('a way to the server that changes what is sent', () => {
  /** Passes everything on, but for one word of the first packet. */
  async function through(word: string, by: string): Promise<AsyncDisposable & { readonly port: number }> {
    const sockets: Socket[] = [];
    const proxy = createServer((near) => {
      const far = dial(server.port, server.host);
      sockets.push(near, far);
      near.once('data', (packet) => {
        far.write(Buffer.from(packet.toString('latin1').replace(word, by), 'latin1'));
        near.pipe(far);
      });
      far.pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return {
      port: (proxy.address() as { port: number }).port,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        proxy.close();
        await once(proxy, 'close');
      },
    };
  }

  test('so that another role logs in, is refused in every kind of session', async () => {
    await using way = await through(`\0${login}\0`, `\0${other}\0`);
    for (const kind of ['rotator', 'state', 'consumer'] as const) {
      await expect(connect({ ...target, port: way.port }, { kind })).rejects.toMatchObject({
        fact: { code: 'session-of-another-role', params: { login: other, acting: other, user: login } },
      });
    }
  });

  test('so that the search path is another, is refused', async () => {
    await using way = await through('search_path=pg_catalog', `search_path=public${' '.repeat(4)}`);
    await expect(connect({ ...target, port: way.port })).rejects.toMatchObject({
      fact: {
        code: 'startup-options-ignored',
        params: { searchPath: expect.stringMatching(/^public *$/) },
      },
    });
  });
});
