import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fault } from '../../src/facts/fault.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';

const HOUR = 3_600_000;

let target: PostgresServer;
let state: PostgresServer;
let scenario: Scenario;
let now: number;
beforeAll(async () => {
  [target, state] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await target[Symbol.asyncDispose]();
  await state[Symbol.asyncDispose]();
});
beforeEach(async () => {
  now = Date.now();
  // The ledger is on a server that stays up, the logins on one that does not.
  const opened = await openScenario(target);
  const ledgerSide = await openScenario(state);
  const base = opened.with({
    ledger: ledgerSide.ledger,
    clock: { now: () => now },
    policy: { ...opened.policy, retryFor: 24 * HOUR },
  });
  scenario = {
    ...base,
    async [Symbol.asyncDispose]() {
      await base[Symbol.asyncDispose]();
      await ledgerSide[Symbol.asyncDispose]();
    },
  };
});
afterEach(() => scenario[Symbol.asyncDispose]());

/** Runs a rotation as its job would for so long, each run at the instant that the one before named. */
async function runFor(id: string, milliseconds: number, from: Scenario = scenario): Promise<Outcome[]> {
  const end = now + milliseconds;
  const outcomes: Outcome[] = [];
  while (now < end) {
    const row = await scenario.ledger.find(id);
    if (!row) throw new Error('the rotation is gone');
    const outcome = await from.run(row);
    outcomes.push(outcome);
    if (!('until' in outcome)) break;
    now = Math.max(now + 1, outcome.until);
  }
  return outcomes;
}

describe('an outage of PostgreSQL', () => {
  test('of an hour leaves what is published, is one alert, and mends itself (G1, G5)', async () => {
    await runFor((await scenario.request()).id, HOUR);
    const before = await scenario.published();
    const rotation = await scenario.request();
    await target.stop('immediate');
    const during = await runFor(rotation.id, HOUR);
    expect(during.length).toBeGreaterThan(40);
    expect(during.every(({ status }) => status === 'retrying')).toBe(true);
    expect(during.filter((outcome) => 'isNews' in outcome && outcome.isNews)).toHaveLength(1);
    expect(await scenario.published()).toEqual(before);
    expect((await scenario.ledger.find(rotation.id))?.lastFault).toMatchObject({
      code: 'server-unreachable',
      params: {
        place: expect.stringContaining(`:${target.port}/`),
        detail: expect.stringContaining('ECONNREFUSED'),
      },
    });
    await target.start();
    expect(await runFor(rotation.id, HOUR)).toContainEqual({ status: 'done' });
    await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
  });

  test('that outlasts retryFor fails the rotation, and the next one goes through (G5)', async () => {
    const impatient = scenario.with({ policy: { ...scenario.policy, retryFor: 60_000 } });
    await runFor((await impatient.request()).id, HOUR, impatient);
    const before = await scenario.published();
    await target.stop('immediate');
    const failing = await runFor((await impatient.request()).id, HOUR, impatient);
    expect(failing.at(-1)).toMatchObject({ status: 'failed', error: { step: 'check' } });
    await target.start();
    expect(await scenario.published()).toEqual(before);
    expect(await runFor((await impatient.request()).id, HOUR, impatient)).toContainEqual({ status: 'done' });
  });
});

describe('a store', () => {
  test('that is down for an hour after publish holds revoke back, in one alert, and mends itself (G2, G5)', async () => {
    await scenario.finish(await scenario.request());
    const before = await scenario.published();
    let down = false;
    const away =
      <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
      (...args: Args): Promise<Result> =>
        down
          ? Promise.reject(fault('folder-unusable', { store: 'files', errno: 'EIO', detail: 'it is away' }))
          : verb(...args);
    const { store } = scenario;
    const flaky = scenario.with({
      destinations: [
        {
          name: 'files (primary)',
          create: true,
          secrets: MAPPING,
          store: { ...store, read: away(store.read), stage: away(store.stage), promote: away(store.promote) },
        },
      ],
      policy: { ...scenario.policy, drain: { grace: 1_000, timeout: 2_000, onTimeout: 'terminate' } },
    });
    const id = randomUUID();
    const rotation = await scenario.ledger.request({
      id,
      policy: scenario.policy.name,
      reason: 'manual',
      requestedBy: 'test',
    });
    if (!rotation) throw new Error('no rotation was opened');
    expect(await flaky.run(rotation)).toMatchObject({ status: 'waiting' });
    down = true;
    const news: boolean[] = [];
    const end = now + HOUR;
    while (now < end) {
      const outcome = await flaky.run(rotation);
      expect(outcome.status).toBe('retrying');
      if ('isNews' in outcome) news.push(outcome.isNews);
      if ('until' in outcome) now = outcome.until;
    }
    expect(news.filter(Boolean)).toHaveLength(1);
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
    down = false;
    let outcome = await flaky.run(rotation);
    while ('until' in outcome) {
      now = Math.max(now + 1, outcome.until);
      outcome = await flaky.run(rotation);
    }
    expect(outcome).toEqual({ status: 'done' });
    await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });
});
