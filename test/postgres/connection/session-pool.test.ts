import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSessionPool } from '../../../src/postgres/connection/session-pool.ts';
import { openPooledServer, type PooledServer } from '../../support/pooled-server.ts';

let place: PooledServer;
beforeAll(async () => {
  place = await openPooledServer();
});
afterAll(() => place?.[Symbol.asyncDispose]());

describe('Sessions of one connection', () => {
  test.each([2, 4])(
    'are never more than maxSessions (%i), and 8 runs at once all end',
    async (maxSessions) => {
      await using pool = openSessionPool({ ...place.connection, maxSessions });
      const watching = place.watch();
      await Promise.all(Array.from({ length: 8 }, () => place.run(pool)));
      const most = await watching.stop();
      // All that may be had are had: runs prove their logins while others wait.
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(maxSessions);
    },
  );

  test('are given back without a trace of the run before', async () => {
    await using pool = openSessionPool(place.connection);
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
    // The second run has the session of the first. What is in a transaction is not given to a
    // third.
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
  });

  test('that died while nobody used them are not given to anybody', async () => {
    await using pool = openSessionPool(place.connection);
    const first = await pool.rotator();
    await first[Symbol.asyncDispose]();
    await place.admin.query(
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
