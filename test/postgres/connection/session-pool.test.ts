import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSessionPool } from '../../../src/postgres/connection/session-pool.ts';
import { openPooledServer, type PooledServer } from '../../support/pooled-server.ts';

let place: PooledServer;
beforeAll(async () => {
  place = await openPooledServer();
});
afterAll(() => place?.[Symbol.asyncDispose]());

describe('Sessions of one connection', () => {
  test.each([1, 2, 4])(
    'of each use are never more than maxSessions (%i), and 8 runs at once all end',
    async (maxSessions) => {
      await using pool = openSessionPool({ ...place.connection, maxSessions });
      const watching = place.watch();
      await Promise.all(Array.from({ length: 8 }, () => place.run(pool)));
      const most = await watching.stop();
      expect(most.rotators).toBeGreaterThan(0);
      expect(most.rotators).toBeLessThanOrEqual(maxSessions);
      expect(most.proofs).toBeGreaterThan(0);
      expect(most.proofs).toBeLessThanOrEqual(maxSessions);
    },
  );

  test('are used again as they were opened, but not where the run before left a transaction', async () => {
    await using pool = openSessionPool(place.connection);
    const pids: unknown[] = [];
    for (const leave of ['SELECT 1', 'BEGIN', '']) {
      await using session = await pool.rotator();
      const { rows } = await session.client.query(
        `SELECT pg_backend_pid() AS pid, current_setting('search_path') AS path,
                (SELECT source FROM pg_settings WHERE name = 'createrole_self_grant') AS "selfGrant"`,
      );
      const { pid, ...state } = rows[0];
      pids.push(pid);
      // Set when it was opened, since no startup option can.
      expect(state).toEqual({ path: 'pg_catalog', selfGrant: 'session' });
      await session.client.query(leave);
    }
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
