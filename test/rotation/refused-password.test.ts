import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { StepName } from '../../src/ledger/rotation.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { canLogIn } from '../support/draining.ts';
import { onLine } from '../support/on-line.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
/** Every password that was staged. */
let staged: Set<string>;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  staged = new Set();
});
afterEach(() => scenario[Symbol.asyncDispose]());

/** The scenario with somebody who alters the standby login each time that a step begins, so many times. */
function sabotaged(step: StepName, times: number, alter: string): Scenario {
  let left = times;
  const store: SecretStore = {
    ...scenario.store,
    async stage(mapping, token, fields, options) {
      staged.add(String(fields.password));
      return scenario.store.stage(mapping, token, fields, options);
    },
  };
  return scenario.with({
    // So long that `publish` takes no login of `verify` for a proof.
    policy: { ...scenario.policy, verify: ['SELECT pg_sleep(1.1)'] },
    destinations: [{ name: 'primary', store, create: true, secrets: MAPPING }],
    ledger: onLine(scenario.ledger, {
      async after({ step: name, kind }) {
        const [{ incoming } = {}] = await scenario.ledger.open(scenario.policy.name);
        if (name !== step || kind !== 'started' || !incoming || left === 0) return;
        left -= 1;
        await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(incoming)} ${alter}`);
      },
    }),
  });
}

const ANOTHER = "PASSWORD 'another'";

async function expectPublished(from: Scenario, password: string | undefined): Promise<void> {
  const published = await from.published();
  expect(published.password).toBe(password);
  await (await from.logIn(published))[Symbol.asyncDispose]();
}

describe.each(['verify', 'publish'] as const)('a staged password that PostgreSQL refuses at %s', (step) => {
  test('once is set again: no new one is made (G4)', async () => {
    const from = sabotaged(step, 1, ANOTHER);
    const rotation = await from.request();
    expect(await from.finish(rotation)).toEqual({ status: 'done' });
    expect(staged.size).toBe(1);
    await expectPublished(from, [...staged][0]);
    const events = await from.ledger.events([rotation.id]);
    expect(events.filter(({ kind }) => kind === 'failed')).toMatchObject([
      { step, fact: { code: 'password-refused' } },
    ]);
  });

  test('twice is made anew at once, by a rotation in the place of the first (G1, G4, G5)', async () => {
    const before = await scenario.published();
    const from = sabotaged(step, 2, ANOTHER);
    const rotation = await from.request();
    const outcome = await from.finish(rotation);
    expect(outcome).toMatchObject({ status: 'failed', error: { step }, replacedBy: { status: 'open' } });
    if (outcome.status !== 'failed' || !outcome.replacedBy) return;
    const { replacedBy } = outcome;
    expect(replacedBy).toMatchObject({ replaces: rotation.id, reason: 'manual', requestedBy: 'test' });
    expect(await from.ledger.find(rotation.id)).toMatchObject({
      status: 'failed',
      lastFault: { code: 'password-refused' },
    });
    await expectPublished(from, before.password);
    expect(await from.store.read(MAPPING, 'pending')).toBeUndefined();

    expect(await from.finish(replacedBy)).toEqual({ status: 'done' });
    expect(staged.size).toBe(2);
    await expectPublished(from, [...staged][1]);
    await expect(from.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    const told = JSON.stringify(await from.ledger.events([rotation.id, replacedBy.id]));
    for (const password of staged) expect(told).not.toContain(password);
  });

  test('again and again is made anew once, not for ever, and changes nothing for consumers (G5)', async () => {
    const before = await scenario.published();
    const from = sabotaged(step, Number.POSITIVE_INFINITY, ANOTHER);
    const first = await from.finish(await from.request());
    if (first.status !== 'failed' || !first.replacedBy) throw new Error('it was not made anew');
    const second = await from.finish(first.replacedBy);
    expect(second).toMatchObject({ status: 'failed', error: { step } });
    expect(second).not.toHaveProperty('replacedBy');
    expect(staged.size).toBe(2);
    expect(await from.ledger.open(from.policy.name)).toEqual([]);
    await expectPublished(from, before.password);
    expect(
      await canLogIn(
        from,
        String(first.replacedBy && (await from.ledger.find(first.replacedBy.id))?.incoming),
      ),
    ).toBe(false);
  });
});

test('a login that is refused for another reason than its password is not given another (G5)', async () => {
  const from = sabotaged('verify', Number.POSITIVE_INFINITY, 'NOLOGIN');
  const outcome = await from.finish(await from.request());
  expect(outcome).toMatchObject({ status: 'failed', error: { step: 'verify' } });
  expect(outcome).not.toHaveProperty('replacedBy');
});

test('the replacement of a rotation has its slot, and that it adopts', async () => {
  const { ledger, policy } = scenario;
  const slot = new Date('2027-03-01T02:30:00Z');
  const rotation = await ledger.request({
    id: '11111111-1111-4111-8111-111111111111',
    policy: policy.name,
    reason: 'schedule',
    requestedBy: 'schedule',
    slot,
    adopt: true,
  });
  if (!rotation) throw new Error('no rotation was opened');
  const by = '22222222-2222-4222-8222-222222222222';
  expect(await ledger.replace(rotation, by)).toMatchObject({
    id: by,
    reason: 'schedule',
    slot,
    adopt: true,
    replaces: rotation.id,
    status: 'open',
  });
  expect(await ledger.replace(rotation, by)).toBeUndefined();
  expect(await ledger.open(policy.name)).toMatchObject([{ id: by }]);
});
