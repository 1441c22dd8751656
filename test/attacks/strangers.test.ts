import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/policy/config.ts';
import { connect, type Session } from '../../src/postgres/connect.ts';
import { openSessionPool, type SessionPool } from '../../src/postgres/session-pool.ts';
import { adminOf } from '../support/admin.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';

// Of 20 connections 17 are for everybody.
const STRANGERS = 8;
const PASSWORD = 'hunter2';

let server: PostgresServer;
let admin: Awaited<ReturnType<typeof adminOf>>;
let connection: Connection;

beforeAll(async () => {
  server = await startPostgres({ settings: { max_connections: '20' } });
  admin = await adminOf(server);
  for (const role of ['rotator', 'app_login', 'stranger']) {
    await admin.client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  }
  const { host, port } = server;
  const tls = { mode: 'disable' } as const;
  connection = { name: 'db', host, port, database: 'postgres', user: 'rotator', password: PASSWORD, tls };
});
afterAll(async () => {
  await admin?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const login = () => connect({ ...connection, user: 'app_login' });

/** What a rotation does with sessions: it proves a login while the rotator's session is in a transaction. */
async function run(pool: SessionPool): Promise<void> {
  await using rotator = await pool.rotator();
  await rotator.client.query('BEGIN');
  await using proof = await pool.beside(login);
  await proof.client.query('SELECT pg_catalog.pg_sleep(0.02)');
  await rotator.client.query('COMMIT');
}

/** Watches until it is stopped, and tells the most sessions of keyturn that it saw at once. */
function watch(): { stop(): Promise<number> } {
  const watching = { on: true };
  const most = (async () => {
    let seen = 0;
    while (watching.on) {
      const { rows } = await admin.client.query<{ now: number }>(
        "SELECT count(*)::int AS now FROM pg_stat_activity WHERE usename IN ('rotator', 'app_login')",
      );
      seen = Math.max(seen, rows[0]?.now ?? 0);
      await turn();
    }
    return seen;
  })();
  return {
    stop: () => {
      watching.on = false;
      return most;
    },
  };
}

test('Three workers and a crowd of clients at max_connections = 20: no login of a client is refused', async () => {
  const pools = [1, 2, 3].map(() => openSessionPool(connection));
  const crowd = { on: true, logins: 0, faults: [] as string[] };
  const strangers = Array.from({ length: STRANGERS }, async () => {
    while (crowd.on) {
      try {
        await using session: Session = await connect({ ...connection, user: 'stranger' });
        await session.client.query('SELECT pg_catalog.pg_sleep(0.01)');
        crowd.logins += 1;
      } catch (error) {
        crowd.faults.push((error as Error).message);
      }
    }
  });
  await expect.poll(() => crowd.logins).toBeGreaterThan(STRANGERS);
  const watching = watch();
  let most = 0;
  try {
    await Promise.all(pools.flatMap((pool) => Array.from({ length: 8 }, () => run(pool))));
  } finally {
    crowd.on = false;
    most = await watching.stop();
    await Promise.all(strangers);
    for (const pool of pools) await pool[Symbol.asyncDispose]();
  }
  expect(crowd.faults).toEqual([]);
  expect(crowd.logins).toBeGreaterThan(20);
  expect(most).toBeLessThanOrEqual(3 * 4);
});
