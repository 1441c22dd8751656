import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { discardTurn } from '../../jobs/discard.ts';
import type { Policy } from '../../src/config/policy.ts';
import { fault } from '../../src/facts/fault.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

const away = async () => {
  throw fault('store-unreachable', { store: 'files', secret: 's', action: 'a', detail: 'away' });
};
const pending = () => scenario.store.read(scenario.destinations[0].secrets, 'pending');
const left = () => scenario.ledger.retention.leftStaged(9);

/** A rotation that fails after it has staged, while the store takes nothing back. */
async function failWhileAway(): Promise<string> {
  const [primary] = scenario.destinations;
  const broken = scenario.with({
    policy: { ...scenario.policy, verify: ['SELECT broken'] },
    destinations: [{ ...primary, store: storeWith(primary.store, { discard: away }) }],
  });
  const { id } = await broken.request();
  expect(await broken.finish({ ...(await rotation(id)) })).toMatchObject({ status: 'failed' });
  return id;
}
async function rotation(id: string) {
  const row = await scenario.ledger.find(id);
  if (!row) throw new Error('it is not there');
  return row;
}
function turn(destinations = scenario.destinations, policy: Policy = scenario.policy) {
  const { ledger } = scenario;
  return discardTurn({
    ledger,
    policies: () => new Map([[policy.name, policy]]),
    destinations: () => destinations,
  })();
}

test('what a failed rotation left in a store that was away is discarded when it answers again', async () => {
  const id = await failWhileAway();
  expect(await pending()).toMatchObject({ token: id });
  const [primary] = scenario.destinations;
  await turn([{ ...primary, store: storeWith(primary.store, { discard: away }) }]);
  expect((await left()).map((row) => row.id)).toEqual([id]);
  await turn();
  expect(await pending()).toBeUndefined();
  expect(await left()).toEqual([]);
  // Nothing of the version is left on the disk.
  const names = await readdir(scenario.folder, { recursive: true });
  expect(names.filter((name) => join(scenario.folder, name).includes(id))).toEqual([]);
});

test('what is published and what is pending now stay (G1)', async () => {
  const id = await failWhileAway();
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  const published = await scenario.published();
  expect((await left()).map((row) => row.id)).toEqual([id]);
  await turn();
  expect(await scenario.published()).toEqual(published);
  await (await scenario.logIn(published))[Symbol.asyncDispose]();
  expect(await left()).toEqual([]);
});

test('a rotation that was discarded when it failed leaves nothing to do', async () => {
  const broken = scenario.with({ policy: { ...scenario.policy, verify: ['SELECT broken'] } });
  expect(await broken.finish(await broken.request())).toMatchObject({ status: 'failed' });
  expect(await left()).toEqual([]);
});

test('the pending version of a rotator stays: it may be the only one with the password that was set', async () => {
  const id = await failWhileAway();
  const rotator = { ...scenario.policy, type: 'rotator', logins: ['r'] } as unknown as Policy;
  await turn(scenario.destinations, rotator);
  expect(await pending()).toMatchObject({ token: id });
  expect(await left()).toEqual([]);
});
