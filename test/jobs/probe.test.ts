import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { probeTurn } from '../../jobs/probe.ts';
import type { Config } from '../../src/config/config.ts';
import type { LoginsPolicy, Policy } from '../../src/config/policy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { healPublished } from '../../src/roles/restore/heal-published.ts';
import { openView } from '../../src/rotation/context/open-view.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';
import { freePort } from '../support/postgres-server.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const EVERY_MS = 900_000;
/** As soon as a policy is probed again that was refused. */
const AGAIN_MS = 30_000;

let scenario: Scenario;
let policy: LoginsPolicy;
let kept: Awaited<ReturnType<typeof openTestLedger>>;
let said: Record<string, unknown>[];
let published: { username: string; password: string };
const clock = setClock(Date.now());

beforeAll(async () => {
  scenario = await openScenario(inject('postgres'));
  policy = { ...scenario.policy, probe: { every: EVERY_MS } };
});
afterAll(() => scenario?.[Symbol.asyncDispose]());
beforeEach(async () => {
  kept = await openTestLedger(inject('postgres'), clock);
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  published = await scenario.published();
  said = [];
});
afterEach(() => kept?.[Symbol.asyncDispose]());

const log = pino({ base: null }, { write: (line: string) => said.push(JSON.parse(line)) });
const codes = () => said.map(({ code }) => code);
const broken = async () => (await kept.ledger.probes.broken([policy.name])).get(policy.name);

/** The application of a worker. */
const parts = () => ({
  config: {
    policies: configured,
    connections: new Map([[scenario.connection.name, scenario.connection]]),
  } as unknown as Config,
  ledger: async () => kept.ledger,
  target: async () => scenario.connection,
  faulty: () => new Error('the configuration is right'),
  view: async (of: Policy) =>
    openView({ policy: of, connection: scenario.connection, destinations: scenario.destinations, clock }),
});

/** A worker's probes, of which each turn comes so much later. */
function worker(change: Partial<Pick<Scenario, 'connection' | 'destinations'>> = {}) {
  let looks = 0;
  const { connection, destinations } = { ...scenario, ...change };
  const turn = probeTurn({
    ledger: kept.ledger,
    log,
    policies: () => configured,
    restore: (of) => healPublished(parts(), of),
    async openView(of) {
      looks += 1;
      return openView({ policy: of, connection, destinations, clock });
    },
  });
  return {
    /** Returns how many policies were looked at. */
    async later(ms: number): Promise<number> {
      clock.set(clock.now() + ms);
      const before = looks;
      await turn();
      return looks - before;
    },
  };
}

/** What is configured stays the same map, as between two edits. */
let configured: ReadonlyMap<string, LoginsPolicy>;
beforeEach(() => {
  configured = new Map([[policy.name, policy]]);
});

test('a policy is probed once in each interval, whatever the number of workers', async () => {
  const [one, other] = [worker(), worker()];
  await one.later(0);
  let looks = 0;
  for (let turn = 0; turn < 8; turn += 1) {
    looks += await one.later(EVERY_MS / 4);
    looks += await other.later(0);
  }
  expect(looks).toBe(2);
  expect(codes()).toEqual([]);
  expect(await broken()).toBeUndefined();
});

describe('what is published is broken within two looks, and said once, after', () => {
  test.each([
    ['another password', "PASSWORD 'another'", 'login-refused'],
    ['NOLOGIN', 'NOLOGIN', 'login-refused'],
    ['VALID UNTIL', "VALID UNTIL '2020-01-01'", 'login-refused'],
    ['CONNECTION LIMIT 0', 'CONNECTION LIMIT 0', 'login-connection-limit-reached'],
  ])('%s (G7)', async (_name, clauses, code) => {
    const { later } = worker();
    await later(0);
    await later(EVERY_MS);
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(published.username)} ${clauses}`);
    await later(EVERY_MS);
    expect(await broken()).toBeUndefined();
    await later(AGAIN_MS);
    const cause = { code: 'published-fails', params: { login: published.username, cause: { code } } };
    expect(await broken()).toMatchObject({ fact: cause });
    for (let look = 0; look < 3; look += 1) await later(AGAIN_MS);
    expect(said).toMatchObject([
      { level: 50, policy: policy.name, code: 'credential-broken', params: { cause } },
    ]);
    expect(JSON.stringify(said)).not.toContain(published.password);

    const name = quoteIdentifier(published.username);
    await scenario.admin.query(
      `ALTER ROLE ${name} LOGIN PASSWORD '${published.password}' VALID UNTIL 'infinity' CONNECTION LIMIT -1`,
    );
    await later(AGAIN_MS);
    expect(await broken()).toBeUndefined();
    expect(codes()).toEqual(['credential-broken', 'credential-restored']);
  });
});

test('with heal: restore, the worker makes the same credential work again, and says so (G7)', async () => {
  configured = new Map([[policy.name, { ...policy, heal: 'restore' }]]);
  const { later } = worker();
  await later(0);
  await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(published.username)} NOLOGIN PASSWORD 'another'`);
  await later(EVERY_MS);
  await later(AGAIN_MS);
  expect(codes()).toEqual(['credential-broken', 'credential-healed']);
  expect(await broken()).toBeUndefined();
  await (await scenario.logIn(published))[Symbol.asyncDispose]();
  const latest = await kept.ledger.provisions.latest();
  expect(latest.get(policy.name)).toMatchObject({ kind: 'restore', requestedBy: 'heal' });
});

test('what cannot be healed is tried again with each probe, and the log has it once', async () => {
  configured = new Map([[policy.name, { ...policy, heal: 'restore' }]]);
  const { later } = worker();
  await later(0);
  const name = quoteIdentifier(published.username);
  await scenario.admin.query(`ALTER ROLE ${name} PASSWORD 'another'`);
  const id = '99999999-9999-4999-8999-999999999999';
  await kept.ledger.request({ id, policy: policy.name, reason: 'manual', requestedBy: 'test' });
  await later(EVERY_MS);
  for (let look = 0; look < 3; look += 1) await later(AGAIN_MS);
  expect(codes()).toEqual(['credential-broken', 'credential-not-healed']);
  await kept.ledger.finish({ id, rolledBackBy: null }, 'failed');
  await later(AGAIN_MS);
  expect(codes().at(-1)).toBe('credential-healed');
  await (await scenario.logIn(published))[Symbol.asyncDispose]();
});

describe('nothing is called broken', () => {
  test('while the server is down, and the policy is tried again', async () => {
    const { later } = worker({ connection: { ...scenario.connection, port: await freePort() } });
    await later(0);
    for (let look = 0; look < 3; look += 1) expect(await later(EVERY_MS)).toBe(1);
    expect(await broken()).toBeUndefined();
    expect(codes()).toEqual([]);
  });

  test('while the login has as many sessions as it may', async () => {
    const name = quoteIdentifier(published.username);
    await scenario.admin.query(`ALTER ROLE ${name} CONNECTION LIMIT 1`);
    await using _session = await scenario.logIn(published);
    const { later } = worker();
    for (let look = 0; look < 3; look += 1) await later(EVERY_MS);
    expect(await broken()).toBeUndefined();
    await scenario.admin.query(`ALTER ROLE ${name} CONNECTION LIMIT -1`);
  });

  test('while the store cannot be read', async () => {
    const [primary] = scenario.destinations;
    const store = { ...primary.store, read: () => Promise.reject(new Error('it is away')) };
    const { later } = worker({ destinations: [{ ...primary, store }] });
    for (let look = 0; look < 3; look += 1) await later(EVERY_MS);
    expect(await broken()).toBeUndefined();
  });
});
