import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { LoginsPolicy } from '../../src/config/policy.ts';
import type { Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type Probing, probing } from '../support/probing.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** Probes are so rare here that only the look of each minute sees anything. */
const EVERY_MS = 30 * 24 * 3_600_000;
const LOOK_MS = 60_000;

let server: PostgresServer;
let scenario: Scenario;
let kept: Awaited<ReturnType<typeof openTestLedger>>;
let policy: LoginsPolicy;
let configured: ReadonlyMap<string, LoginsPolicy>;
let published: { username: string; password: string };
let worker: Probing;
const clock = setClock(Date.now());
const owner = 'watched_owner';

beforeAll(async () => {
  server = await startPostgres();
  await using admin = await adminOf(server);
  await admin.client.query(`CREATE ROLE ${owner}`);
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(async () => {
  kept = await openTestLedger(inject('postgres'), clock);
  clock.set(Date.now());
  const opened = await openScenario(server, { owner, policy: { probe: { every: EVERY_MS } } });
  scenario = opened.with({ ledger: kept.ledger });
  policy = scenario.policy;
  configured = new Map([[policy.name, policy]]);
  for (const login of policy.logins) {
    const name = quoteIdentifier(login);
    await scenario.admin.query(`GRANT ${owner} TO ${name}; ALTER ROLE ${name} SET role TO ${owner}`);
  }
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  published = await scenario.published();
  worker = another();
  await worker.later(0);
});
afterEach(async () => {
  await scenario?.[Symbol.asyncDispose]();
  await kept?.[Symbol.asyncDispose]();
});

const another = () => probing(scenario, { ledger: kept.ledger, clock, policies: () => configured });
const broken = async () => (await kept.ledger.probes.broken([policy.name])).get(policy.name);

test('each minute one query looks at a server, whatever the number of workers and policies', async () => {
  const more = Array.from({ length: 20 }, (_, index) => ({ ...policy, name: `${policy.name}-${index}` }));
  configured = new Map([policy, ...more].map((each) => [each.name, each]));
  const workers = [worker, another(), another()];
  await scenario.admin.query('SELECT pg_stat_reset()');
  const looks = async () => {
    // What a session counted is there soon after its end.
    const { rows } = await scenario.admin.query(
      'SELECT sessions::int FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0].sessions;
  };
  const before = await looks();
  for (let minute = 0; minute < 3; minute += 1) {
    for (const each of workers) await each.later(LOOK_MS / workers.length);
  }
  await expect.poll(looks).toBe(before + 3);
});

describe('the look of each minute has what is wrong probed at once: broken within two looks, by', () => {
  test.each([
    ['NOLOGIN', (login: string) => `ALTER ROLE ${login} NOLOGIN`],
    ['VALID UNTIL', (login: string) => `ALTER ROLE ${login} VALID UNTIL '2020-01-01'`],
    ['CONNECTION LIMIT 0', (login: string) => `ALTER ROLE ${login} CONNECTION LIMIT 0`],
    ['RENAME', (login: string) => `ALTER ROLE ${login} RENAME TO ${login.slice(0, -1)}_renamed"`],
    ['a membership of the owner that is lost', (login: string) => `REVOKE ${owner} FROM ${login}`],
    [
      'a right to CONNECT that is lost',
      () => `REVOKE CONNECT ON DATABASE ${scenario.connection.database} FROM PUBLIC`,
    ],
  ])('%s (G7)', async (_name, breaking) => {
    await worker.later(LOOK_MS);
    await scenario.admin.query(breaking(quoteIdentifier(published.username)));
    expect(await worker.later(LOOK_MS)).toBe(1);
    expect(await broken()).toBeUndefined();
    expect(await worker.later(LOOK_MS)).toBe(1);
    expect(await broken()).toMatchObject({
      fact: { code: 'published-fails', params: { login: published.username } },
    });
    expect(worker.codes()).toEqual(['credential-broken']);
    await scenario.admin.query(`DROP ROLE IF EXISTS "${published.username}_renamed"`);
  });
});

test('what was shut long ago is not looked at: the other login of a pair', async () => {
  const other = policy.logins.find((login) => login !== published.username) ?? '';
  await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(other)} NOLOGIN CONNECTION LIMIT 0`);
  for (let look = 0; look < 3; look += 1) expect(await worker.later(LOOK_MS)).toBe(0);
});

test('the log warns once when a login has nearly as many sessions as it may', async () => {
  const name = quoteIdentifier(published.username);
  await scenario.admin.query(`ALTER ROLE ${name} CONNECTION LIMIT 2`);
  {
    await using _one = await scenario.logIn(published);
    await worker.later(LOOK_MS);
    expect(worker.codes()).toEqual([]);
    await using _other = await scenario.logIn(published);
    for (let look = 0; look < 3; look += 1) await worker.later(LOOK_MS);
    expect(worker.said).toMatchObject([
      {
        level: 40,
        policy: policy.name,
        code: 'connection-limit-near',
        params: { login: published.username, sessions: 2, limit: 2 },
      },
    ]);
  }
  expect(await broken()).toBeUndefined();
});

describe('nothing is called broken', () => {
  /** Probes at once, and again after each of three minutes. */
  async function probe(at: Probing): Promise<void> {
    await kept.ledger.probes.hurry([policy.name]);
    for (let look = 0; look < 4; look += 1) {
      await at.later(LOOK_MS);
      await kept.ledger.probes.hurry([policy.name]);
    }
  }

  test('while the server lets no more sessions in (G7)', async () => {
    const { rows } = await scenario.admin.query('SHOW max_connections');
    const sessions: Session[] = [];
    try {
      // The last are reserved for superusers, such as this one.
      for (let count = 0; count < Number(rows[0].max_connections) - 4; count += 1) {
        sessions.push(await adminOf(server));
      }
      await expect(scenario.logIn(published)).rejects.toMatchObject({
        fact: { code: 'connections-exhausted' },
      });
      await probe(worker);
    } finally {
      for (const session of sessions) await session[Symbol.asyncDispose]();
    }
    expect(worker.codes()).toEqual([]);
    expect(await broken()).toBeUndefined();
  });

  test('while the server does not answer (G7)', async () => {
    await using proxy = await startTcpProxy(server);
    const slow = probing(
      { ...scenario, connection: { ...scenario.connection, port: proxy.port } },
      { ledger: kept.ledger, clock, policies: () => configured },
    );
    proxy.stall(3_600_000);
    await kept.ledger.probes.hurry([policy.name]);
    for (let look = 0; look < 2; look += 1) await slow.later(LOOK_MS);
    expect(slow.codes()).toEqual([]);
    expect(await broken()).toBeUndefined();
  });
});

describe('a connection that leads to another server', () => {
  async function restart(): Promise<void> {
    await server.stop('fast');
    await server.start();
  }

  test('has all its policies probed at once, and a server that is down meanwhile is not broken (G7)', async () => {
    const more = Array.from({ length: 3 }, (_, index) => ({ ...policy, name: `${policy.name}-${index}` }));
    configured = new Map([policy, ...more].map((each) => [each.name, each]));
    await worker.later(LOOK_MS);
    await server.stop('fast');
    for (let look = 0; look < 3; look += 1) expect(await worker.later(LOOK_MS)).toBe(0);
    await server.start();
    expect(await worker.later(LOOK_MS)).toBe(4);
    for (let look = 0; look < 3; look += 1) expect(await worker.later(LOOK_MS)).toBe(0);
    expect(worker.codes()).toEqual([]);
  });

  test('has a slot wait until its policies are probed there (G7)', async () => {
    await worker.later(LOOK_MS);
    await restart();
    const slot = new Date(clock.now());
    const opened = await kept.ledger.request({
      id: '66666666-6666-4666-8666-666666666666',
      policy: policy.name,
      reason: 'schedule',
      requestedBy: 'schedule',
      slot,
    });
    if (!opened) throw new Error('no rotation was opened');
    const { run } = scenario.with({ clock });
    expect(await run(opened)).toMatchObject({
      status: 'waiting',
      fact: { code: 'check-waiting-for-probes' },
    });
    // The wait has made the look due.
    expect(await worker.later(1_000)).toBe(1);
    expect(await run(opened)).not.toMatchObject({ fact: { code: 'check-waiting-for-probes' } });
  });

  test('holds up a slot for two minutes at most, and no rotation that somebody asks for', async () => {
    await worker.later(LOOK_MS);
    await restart();
    const { request, finish, run } = scenario.with({ clock });
    expect(await finish(await request())).toEqual({ status: 'done' });
    const opened = await kept.ledger.request({
      id: '55555555-5555-4555-8555-555555555555',
      policy: policy.name,
      reason: 'schedule',
      requestedBy: 'schedule',
      slot: new Date(clock.now()),
    });
    if (!opened) throw new Error('no rotation was opened');
    expect(await run(opened)).toMatchObject({ fact: { code: 'check-waiting-for-probes' } });
    clock.set(clock.now() + 120_000);
    expect(await run(opened)).not.toMatchObject({ fact: { code: 'check-waiting-for-probes' } });
  });
});
