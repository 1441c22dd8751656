import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import type { Reason } from '../../src/ledger/rotation.ts';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { openBarePolicy } from '../support/bare-policy.ts';
import { canLogIn, warningsOf } from '../support/draining.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { factNamed, runStatements } from '../support/remedies.ts';
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
async function slowly(
  credential: { username: string; password: string },
  seconds: number,
  { connection } = scenario,
) {
  const client = new pg.Client({
    ...clientOptions({ ...connection, user: credential.username, password: credential.password }),
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

async function warnings() {
  const [last] = await scenario.ledger.latest({ policy: scenario.policy.name, limit: 1 });
  return last ? warningsOf(scenario, last) : [];
}

async function warningCodes(): Promise<string[]> {
  return (await warnings()).map(({ code }) => code);
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
  const left = factNamed('starting-sessions-left', await warnings());
  expect(left.params).toMatchObject({ login: expect.any(String), pids: [expect.any(Number)] });
  // What the warning says ends it.
  await runStatements(scenario.admin, left);
  await slow.connected;
  await expect(slow.client.query('SELECT 1')).rejects.toThrow();
  await scenario.admin.query(`DROP ROLE ${other}`);
});

test('a login of somebody else that starts slowly is not ended by a rotation that is past its deadline', async () => {
  const other = `${scenario.policy.name.replace('-', '_')}_neighbour`;
  await scenario.admin.query(`CREATE ROLE ${other} LOGIN PASSWORD 'secret'`);
  const slow = await slowly({ username: other, password: 'secret' }, 5);
  const late = scenario.with({
    policy: { ...scenario.policy, drain: { grace: 0, timeout: 1, onTimeout: 'terminate' } },
  });
  expect(await late.finish(await late.request())).toEqual({ status: 'done' });
  expect(await slow.connected).toBe(true);
  expect((await slow.client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await slow.client.end();
  await scenario.admin.query(`DROP ROLE ${other}`);
});

test('roles drop waits for it too, and drops nothing while nobody knows whose session starts (G2)', async () => {
  await using bare = await openBarePolicy(server);
  await bare.create();
  const [login] = bare.scenario.policy.logins;
  await bare.admin.query(`ALTER ROLE ${login} LOGIN PASSWORD 'secret'`);
  const slow = await slowly({ username: login, password: 'secret' }, 30, bare.scenario);
  const stopped = await bare.drop().catch((error: { fact: { params: { cause: Fact } } }) => error);
  if (!('fact' in stopped)) throw new Error('it was dropped');
  const { cause } = stopped.fact.params;
  expect(cause).toMatchObject({
    code: 'drop-sessions-starting',
    params: { logins: bare.scenario.policy.logins },
  });
  expect(await bare.exist(...bare.scenario.policy.logins)).toEqual([true, true]);
  await runStatements(bare.admin, cause);
  await slow.connected;
  await expect.poll(unidentified).toBe(0);
  expect((await bare.drop()).dropped).toEqual([...bare.scenario.policy.logins, bare.owner]);
});
