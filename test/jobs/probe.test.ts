import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { LoginsPolicy } from '../../src/config/policy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';
import { freePort } from '../support/postgres-server.ts';
import { type Probing, probing } from '../support/probing.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const EVERY_MS = 900_000;
/** As soon as a policy is probed again that was refused. */
const AGAIN_MS = 30_000;

let scenario: Scenario;
let policy: LoginsPolicy;
let kept: Awaited<ReturnType<typeof openTestLedger>>;
let published: { username: string; password: string };
const clock = setClock(Date.now());

beforeAll(async () => {
  scenario = await openScenario(inject('postgres'));
  policy = { ...scenario.policy, probe: { every: EVERY_MS } };
});
afterAll(() => scenario?.[Symbol.asyncDispose]());
beforeEach(async () => {
  kept = await openTestLedger(inject('postgres'), clock);
  // By the worker's own ledger: else it would have lost what is published.
  const rotating = scenario.with({ ledger: kept.ledger, clock });
  expect(await rotating.finish(await rotating.request())).toEqual({ status: 'done' });
  published = await scenario.published();
  workers.length = 0;
});
afterEach(() => kept?.[Symbol.asyncDispose]());

const broken = async () => (await kept.ledger.probes.broken([policy.name])).get(policy.name);

/** A worker's probes. */
function worker(change: Partial<Pick<Scenario, 'connection' | 'destinations'>> = {}): Probing {
  const opened = probing(
    { ...scenario, ...change },
    { ledger: kept.ledger, clock, policies: () => configured },
  );
  workers.push(opened);
  return opened;
}
const workers: Probing[] = [];
const said = () => workers.flatMap((each) => each.said);
const codes = () => said().map(({ code }) => code);

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
    expect(said()).toMatchObject([
      { level: 50, policy: policy.name, code: 'credential-broken', params: { cause } },
    ]);
    expect(JSON.stringify(said())).not.toContain(published.password);

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
  expect(await kept.ledger.actions.latest({ limit: 9 })).toMatchObject([
    { kind: 'restore', status: 'done', requestedBy: 'heal', requestedHost: hostname() },
  ]);
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
