import { afterAll, beforeAll, expect, test } from 'vitest';
import { tellError } from '../../src/messages/tell.ts';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { openSessionPool } from '../../src/postgres/connection/session-pool.ts';
import { openPooledServer, type PooledServer } from '../support/pooled-server.ts';

// Of 20 connections 17 are for everybody.
const STRANGERS = 8;

let place: PooledServer;
beforeAll(async () => {
  place = await openPooledServer({ max_connections: '20' });
});
afterAll(() => place?.[Symbol.asyncDispose]());

test('Three workers and a crowd of clients at max_connections = 20: no login of a client is refused', async () => {
  const pools = [1, 2, 3].map(() => openSessionPool(place.connection));
  const crowd = { on: true, logins: 0, faults: [] as string[] };
  const strangers = Array.from({ length: STRANGERS }, async () => {
    while (crowd.on) {
      try {
        await using session: Session = await connect({ ...place.connection, user: 'stranger' });
        await session.client.query('SELECT pg_catalog.pg_sleep(0.01)');
        crowd.logins += 1;
      } catch (error) {
        crowd.faults.push(tellError(error));
      }
    }
  });
  await expect.poll(() => crowd.logins).toBeGreaterThan(STRANGERS);
  const watching = place.watch();
  let most = { rotators: 0, proofs: 0 };
  try {
    await Promise.all(pools.flatMap((pool) => Array.from({ length: 8 }, () => place.run(pool))));
  } finally {
    crowd.on = false;
    most = await watching.stop();
    await Promise.all(strangers);
    for (const pool of pools) await pool[Symbol.asyncDispose]();
  }
  expect(crowd.faults).toEqual([]);
  expect(crowd.logins).toBeGreaterThan(20);
  expect(most.rotators + most.proofs).toBeLessThanOrEqual(3 * 4);
});
