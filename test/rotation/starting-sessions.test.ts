import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reason } from '../../src/ledger/rotation.ts';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { canLogIn } from '../support/draining.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

// A client may have its own session start slowly. PostgreSQL has let it in then, and does not show it yet.

// On a server of its own: they would hold up the rotations of other tests.
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.[Symbol.asyncDispose]());

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(server);
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
});
afterEach(() => scenario?.[Symbol.asyncDispose]());

/** A session that PostgreSQL lets in now, and shows in so many seconds. */
async function slowly(credential: { username: string; password: string }, seconds: number) {
  const client = new pg.Client({
    ...clientOptions({ ...scenario.connection, user: credential.username, password: credential.password }),
    options: `-c post_auth_delay=${seconds}`,
  });
  client.on('error', () => {});
  const connected = client.connect().then(
    () => true,
    () => false,
  );
  await expect.poll(unidentified).toBe(1);
  return { client, connected };
}

async function unidentified(): Promise<number> {
  const { rows } = await scenario.admin.query(
    `SELECT pid FROM pg_locks WHERE locktype = 'virtualxid'
        AND pid NOT IN (SELECT pid FROM pg_stat_activity WHERE usesysid IS NOT NULL)`,
  );
  return rows.length;
}

async function warningCodes(): Promise<(string | undefined)[]> {
  const [last] = await scenario.ledger.latest({ policy: scenario.policy.name, limit: 1 });
  const events = await scenario.ledger.events([String(last?.id)]);
  return events.filter(({ kind }) => kind === 'warning').map(({ fact }) => fact?.code);
}

const rotateFor = async (reason: Reason) => scenario.finish(await scenario.request(reason));

test('a rotation without sessions is done in one turn', async () => {
  expect(await scenario.run(await scenario.request())).toEqual({ status: 'done' });
});

test('a session of the outgoing login that starts slowly is waited for, and then ended at the deadline (G2)', async () => {
  const old = await scenario.published();
  const slow = await slowly(old, 8);
  const rotation = await scenario.request();
  expect(await scenario.run(rotation)).toMatchObject({
    status: 'waiting',
    fact: { code: 'revoke-last-look', params: { login: old.username } },
  });
  expect(await canLogIn(scenario, old.username)).toBe(false);
  expect(await slow.connected).toBe(true);
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  await expect(slow.client.query('SELECT 1')).rejects.toThrow();
  expect(await warningCodes()).toContain('revoke-ends-sessions');
});

test('an emergency ends it at once, and says so (G2)', async () => {
  const slow = await slowly(await scenario.published(), 30);
  expect(await rotateFor('emergency')).toEqual({ status: 'done' });
  // It ends as soon as it has started.
  await slow.connected;
  await expect(slow.client.query('SELECT 1')).rejects.toThrow();
  expect(await warningCodes()).toContain('revoke-ends-starting-sessions');
});

test('a login of somebody else that starts slowly holds a rotation up for a minute at most, and is named (G6)', async () => {
  const other = `${scenario.policy.name.replace('-', '_')}_other`;
  await scenario.admin.query(`CREATE ROLE ${other} LOGIN PASSWORD 'secret'`);
  const slow = await slowly({ username: other, password: 'secret' }, 30);
  let ahead = 0;
  const patient = scenario.with({
    policy: { ...scenario.policy, drain: { grace: 0, timeout: 600_000, onTimeout: 'wait' } },
    clock: { now: () => Date.now() + ahead },
  });
  const rotation = await patient.request();
  expect(await patient.run(rotation)).toMatchObject({ fact: { code: 'revoke-last-look' } });
  ahead = 30_000;
  expect(await patient.run(rotation)).toMatchObject({ fact: { code: 'revoke-last-look' } });
  ahead = 61_500;
  expect(await patient.run(rotation)).toEqual({ status: 'done' });
  expect(await warningCodes()).toContain('starting-sessions-left');
  await scenario.admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = $1 AND pid <> pg_backend_pid()',
    ['virtualxid'],
  );
  await slow.connected;
  await scenario.admin.query(`DROP ROLE ${other}`);
});
