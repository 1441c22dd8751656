import pg from 'pg';
import { afterEach, beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import {
  type Credentials,
  type CredentialsOptions,
  openCredentials,
} from '../../src/consumer/credentials.ts';
import { createRotatingPool } from '../../src/consumer/rotating-pool.ts';
import { countSessions, draining, warningsOf } from '../support/draining.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const NEVER = 3_600_000;
const ASK = { name: 'ask', text: 'SELECT $1::int + 1 AS sum', values: [1] };

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
  await scenario.finish(await scenario.request());
});
afterEach(() => scenario[Symbol.asyncDispose]());

function credentialsOf(options: CredentialsOptions): Credentials {
  const secrets = { username: 'app/username', password: 'app/password' };
  const credentials = openCredentials({ type: 'file', path: scenario.folder, secrets }, options);
  onTestFinished(() => credentials.close());
  return credentials;
}

/** A pool, and what ends it; the server's sessions have to be gone before the scenario is. */
function poolOf(credentials: Credentials, options: pg.PoolConfig = {}): pg.Pool {
  const { host, port, database } = scenario.connection;
  return createRotatingPool(credentials, { host, port, database, ...options });
}

/** Rotates until the new login is published; `finish` does the rest. */
async function publish() {
  const drained = draining(scenario, { timeout: 20_000 });
  const rotation = await drained.request();
  const before = await scenario.published();
  const finished = drained.finish(rotation);
  await vi.waitFor(async () => expect(await scenario.published()).not.toEqual(before), { timeout: 20_000 });
  return { rotation, finished, old: before.username };
}

test('a transaction finishes, and its connection is closed at its end, though others were idle (G2)', async () => {
  const credentials = credentialsOf({ refreshEvery: 20 });
  const pool = poolOf(credentials);
  const [busy, ...others] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  for (const client of others) client.release();
  await busy.query('BEGIN');
  await busy.query(ASK);
  const { rotation, finished, old } = await publish();
  await vi.waitFor(async () => expect(await countSessions(scenario, old)).toBe(1));
  // While it works, the rotation waits for it.
  const { rows: named } = await pool.query('SELECT session_user AS name');
  expect(named[0].name).not.toBe(old);
  const { rows } = await busy.query(ASK);
  expect(rows).toEqual([{ sum: 2 }]);
  await busy.query('COMMIT');
  busy.release();
  expect(await finished).toEqual({ status: 'done' });
  expect(await warningsOf(scenario, rotation)).toEqual([]);
  expect(pool.totalCount).toBe(1);
  await pool.end();
  expect(pool.totalCount).toBe(0);
});

test('prepared statements work on the connections that replace those of the old login', async () => {
  const credentials = credentialsOf({ refreshEvery: 20 });
  const pool = poolOf(credentials, { max: 2 });
  await pool.query(ASK);
  const { finished } = await publish();
  expect(await finished).toEqual({ status: 'done' });
  expect((await pool.query(ASK)).rows).toEqual([{ sum: 2 }]);
  expect((await pool.query(ASK)).rows).toEqual([{ sum: 2 }]);
  await pool.end();
});

test('a change that is noticed only when the server refuses the old login fails no query', async () => {
  const credentials = credentialsOf({ refreshEvery: NEVER });
  const pool = poolOf(credentials, { max: 4 });
  await Promise.all(Array.from({ length: 4 }, () => pool.query(ASK)));
  const emergency = draining(scenario, { timeout: 0, onTimeout: 'terminate' });
  expect(await emergency.finish(await emergency.request())).toEqual({ status: 'done' });
  // The server has ended the idle connections, which the pool hears of.
  await vi.waitFor(() => expect(pool.totalCount).toBe(0));
  const answers = await Promise.all(Array.from({ length: 8 }, () => pool.query(ASK)));
  expect(answers.flatMap(({ rows }) => rows)).toEqual(Array(8).fill({ sum: 2 }));
  expect(credentials.cached).toMatchObject(await scenario.published());
  await pool.end();
});

test('a connection that was being made when the credential changed is closed after its first use', async () => {
  const credentials = credentialsOf({ refreshEvery: NEVER });
  const pool = poolOf(credentials);
  const client = await pool.connect();
  const { finished, old } = await publish();
  await credentials.refresh();
  client.release();
  await vi.waitFor(async () => expect(await countSessions(scenario, old)).toBe(0));
  expect(await finished).toEqual({ status: 'done' });
  await pool.end();
});

test('several pools share credentials, and one that ended hears of no change', async () => {
  const credentials = credentialsOf({ refreshEvery: NEVER });
  const pools = [poolOf(credentials), poolOf(credentials)] as const;
  await Promise.all(pools.map((pool) => pool.query(ASK)));
  await pools[0].end();
  const { finished } = await publish();
  await credentials.refresh();
  expect((await pools[1].query(ASK)).rows).toEqual([{ sum: 2 }]);
  expect(await finished).toEqual({ status: 'done' });
  await new Promise<void>((ended) => {
    pools[1].end(ended);
  });
});

test('a pool is one of pg for whoever asks, and of the class that is given', () => {
  class Own extends pg.Pool {}
  const credentials = credentialsOf({});
  expect(createRotatingPool(credentials)).toBeInstanceOf(pg.Pool);
  expect(createRotatingPool(credentials, {}, { Pool: Own })).toBeInstanceOf(Own);
});
