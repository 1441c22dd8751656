import { expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { examinePolicy } from '../../src/doctor/examine-policy.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { readIdentity } from '../../src/postgres/connection/identity.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { CONFIGURED, openRotatorScenario, type RotatorScenario } from '../support/rotator-scenario.ts';
import type { Scenario } from '../support/scenario.ts';

async function examine(scenario: Scenario) {
  const { policy, connection, destinations, ledger } = scenario;
  const [open] = await ledger.open(policy.name);
  return examinePolicy(policy, { usable: true, connection, destinations, ledger, open, clock: systemClock });
}

const levels = (findings: Awaited<ReturnType<typeof examine>>, about: string) =>
  findings.filter((finding) => finding.about === about).map(({ level }) => level);

async function rotate({ fresh }: RotatorScenario) {
  const own = fresh();
  expect(await own.finish(await own.request())).toEqual({ status: 'done' });
}

test("a rotator's policy is looked at as what it is: one login, whose password logs in", async () => {
  await using world = await openRotatorScenario(inject('postgres'));
  const before = await examine(world.fresh());
  expect(before.filter(({ level }) => level === 'fail')).toEqual([]);
  expect(levels(before, 'rotator')).toEqual(['ok']);
  expect(levels(before, 'published')).toEqual(['skip']);
  const { ledger, connection } = world.fresh();
  await using session = await connect(connection);
  const identity = () => readIdentity(session.client);
  const shared = await examine(world.fresh().with({ ledger: { ...ledger, identity } }));
  expect(shared.filter(({ level }) => level === 'fail')).toEqual([
    expect.objectContaining({ fact: expect.objectContaining({ code: 'rotator-is-state-login' }) }),
  ]);
  await rotate(world);
  expect(levels(await examine(world.fresh()), 'published')).toEqual(['ok']);
});

test('what is published is no fault while a rotation has set another password, and is one when nobody has', async () => {
  await using world = await openRotatorScenario(inject('postgres'));
  await rotate(world);
  const own = world.fresh();
  const rotation = await own.request();
  const dying = own.with({ ledger: dyingWith(own.ledger, 'set', 'done') });
  await expect(dying.finish(rotation)).rejects.toThrow(GONE);
  expect((await examine(world.fresh())).filter(({ level }) => level === 'fail')).toEqual([]);
  expect(await world.fresh().finish(rotation)).toEqual({ status: 'done' });

  await world.setPassword(CONFIGURED);
  const [refused] = (await examine(world.fresh())).filter(({ level }) => level === 'fail');
  expect(refused).toMatchObject({
    about: 'published',
    fact: {
      code: 'published-login-refused',
      params: { wayOut: 'rotate-rotator' },
      remedies: [{ kind: 'command', command: `keyturn rotate ${own.policy.name}` }],
    },
  });
  await rotate(world);
  expect((await examine(world.fresh())).filter(({ level }) => level === 'fail')).toEqual([]);
});
