import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/policy/config.ts';
import { connect } from '../../src/postgres/connect.ts';
import { openSessionPool, type SessionPool } from '../../src/postgres/session-pool.ts';
import { adminOf } from '../support/admin.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';

const PASSWORD = 'hunter2';

let server: PostgresServer;
let admin: Awaited<ReturnType<typeof adminOf>>;
let connection: Connection;

beforeAll(async () => {
  server = await startPostgres();
  admin = await adminOf(server);
  for (const role of ['rotator', 'app_login']) {
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

describe('Sessions of one connection', () => {
  test.each([2, 4])(
    'are never more than maxSessions (%i), and 8 runs at once all end',
    async (maxSessions) => {
      await using pool = openSessionPool({ ...connection, maxSessions });
      const watching = watch();
      await Promise.all(Array.from({ length: 8 }, () => run(pool)));
      const most = await watching.stop();
      // All that may be had are had: runs prove their logins while others wait.
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(maxSessions);
    },
  );

  test('are given back without a trace of the run before', async () => {
    await using pool = openSessionPool(connection);
    const pids: unknown[] = [];
    for (const leave of [
      "SET work_mem = '77MB'; SELECT pg_advisory_lock(7); CREATE TEMP TABLE leftover ()",
      'BEGIN',
      '',
    ]) {
      await using session = await pool.rotator();
      const { rows } = await session.client.query(
        `SELECT pg_backend_pid() AS pid, current_setting('work_mem') AS "workMem", to_regclass('pg_temp.leftover') AS leftover,
                (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`,
      );
      const { pid, ...state } = rows[0];
      pids.push(pid);
      expect(state).toEqual({ workMem: '4MB', leftover: null, locks: 0 });
      await session.client.query(leave);
    }
    // The second run has the session of the first. What is in a transaction is not given to a third.
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
  });

  test('that died while nobody used them are not given to anybody', async () => {
    await using pool = openSessionPool(connection);
    const first = await pool.rotator();
    await first[Symbol.asyncDispose]();
    await admin.client.query(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'rotator'",
    );
    await expect
      .poll(async () => {
        await using second = await pool.rotator();
        return (await second.client.query('SELECT 1 AS alive')).rows;
      })
      .toEqual([{ alive: 1 }]);
  });
});
