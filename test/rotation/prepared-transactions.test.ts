import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { waitingFor } from '../support/expected-facts.ts';
import { logInAs } from '../support/old-client.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

let server: PostgresServer;
let scenario: Scenario;
beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: '4' } });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  scenario = await openScenario(server);
});
afterEach(async () => {
  const { rows } = await scenario.admin.query('SELECT gid FROM pg_prepared_xacts');
  for (const { gid } of rows) await scenario.admin.query(`ROLLBACK PREPARED '${gid}'`);
  await scenario[Symbol.asyncDispose]();
});

/** Leaves a transaction prepared, with no session. */
async function prepare(gid: string): Promise<string> {
  const { username, password } = await scenario.published();
  await using session = await logInAs(scenario, { username, password });
  await session.client.query('BEGIN');
  await session.client.query(`SELECT pg_advisory_xact_lock_shared(1)`);
  await session.client.query(`PREPARE TRANSACTION '${gid}'`);
  return username;
}

async function warnings(id: string): Promise<(Fact | null)[]> {
  const events = await scenario.ledger.events([id]);
  return events.filter(({ kind }) => kind === 'warning').map(({ fact }) => fact);
}

const prepared = async () => (await scenario.admin.query('SELECT gid FROM pg_prepared_xacts')).rows;

test('a drain waits for a prepared transaction and names what ends it (G2)', async () => {
  await scenario.finish(await scenario.request());
  const login = await prepare('order 1');
  const rotation = await scenario.request();
  const { database } = scenario.connection;
  const waiting = await scenario.run(rotation);
  expect(waiting).toMatchObject({
    status: 'waiting',
    fact: waitingFor(login, [], {
      prepared: [{ gid: 'order 1', database, preparedAt: expect.stringMatching(/Z$/) }],
    }),
  });
  expect(await scenario.run(rotation)).toMatchObject({ fact: (waiting as { fact: Fact }).fact });
  await scenario.admin.query("ROLLBACK PREPARED 'order 1'");
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  expect(await warnings(rotation.id)).toEqual([]);
});

test('past the deadline the login is revoked, and a prepared transaction is left and told, now and at its next turn (G2)', async () => {
  const short = scenario.with({
    policy: { ...scenario.policy, drain: { grace: 0, timeout: 300, onTimeout: 'terminate' } },
  });
  await short.finish(await short.request());
  const login = await prepare('order 2');
  const rotation = await short.request();
  expect(await short.finish(rotation)).toEqual({ status: 'done' });
  const { rows } = await scenario.admin.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [login]);
  expect(rows).toEqual([{ rolcanlogin: false }]);
  expect(await prepared()).toEqual([{ gid: 'order 2' }]);
  expect(await warnings(rotation.id)).toMatchObject([
    { code: 'prepared-transactions-left', params: { login, prepared: [{ gid: 'order 2' }] } },
  ]);

  const next = await short.request();
  expect(await short.finish(next)).toEqual({ status: 'done' });
  expect(await warnings(next.id)).toMatchObject([
    { code: 'incoming-has-prepared-transactions', params: { login, transactions: [{ gid: 'order 2' }] } },
  ]);
  // Back in, the login can end it itself.
  await using session = await logInAs(scenario, await short.published());
  await session.client.query("COMMIT PREPARED 'order 2'");
  expect(await prepared()).toEqual([]);
});

test('a warning that a crash kept from being recorded is recorded by the next run (G4)', async () => {
  const short = scenario.with({
    policy: { ...scenario.policy, drain: { grace: 0, timeout: 100, onTimeout: 'terminate' } },
  });
  await short.finish(await short.request());
  await prepare('order 3');
  const rotation = await short.request();
  const crashing = short.with({
    ledger: { ...short.ledger, warn: () => Promise.reject(new Error('the process is gone')) },
  });
  let outcome = await crashing.run(rotation);
  while (outcome.status === 'waiting') outcome = await crashing.run(rotation);
  expect(outcome).toMatchObject({ status: 'retrying', error: { step: 'revoke' } });
  expect(await short.finish(rotation)).toEqual({ status: 'done' });
  expect(await warnings(rotation.id)).toHaveLength(1);
});

test('with an owner the login that comes in can end it, so nothing is waited for', async () => {
  const owner = `${scenario.policy.logins[0]}_owner`;
  const group = quoteIdentifier(owner);
  await scenario.admin.query(`CREATE ROLE ${group}`);
  for (const login of scenario.policy.logins) {
    await scenario.admin.query(`GRANT ${group} TO ${quoteIdentifier(login)}`);
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login)} SET role = ${group}`);
  }
  const owned = scenario.with({ policy: { ...scenario.policy, owner } });
  await owned.finish(await owned.request());
  await prepare('order 4');
  expect(await owned.finish(await owned.request())).toEqual({ status: 'done' });
  {
    await using session = await logInAs(scenario, await owned.published());
    await session.client.query("COMMIT PREPARED 'order 4'");
  }
  await scenario.admin.query(`DROP OWNED BY ${group}; DROP ROLE ${group}`);
});
