import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import { CREATE, login, type Part, refused, type Trial } from './trial.ts';

const STAGES = ['current', 'pending', 'previous'] as const;

/** What holds for every shape of a mapping. */
export function eachMappingPart(name: string, mappingOf: (trial: Trial) => Mapping): Part {
  const cases: Readonly<Record<string, (trial: Trial, mapping: Mapping) => Promise<void>>> = {
    ...stagingCases,
    ...promotionCases,
    ...refusalCases,
  };
  return Object.fromEntries(
    Object.entries(cases).map(([title, run]) => [
      `with ${name}, ${title}`,
      (trial: Trial) => run(trial, mappingOf(trial)),
    ]),
  );
}

type Cases = Readonly<Record<string, (trial: Trial, mapping: Mapping) => Promise<void>>>;

const stagingCases: Cases = {
  async 'a staged version is pending and not current, even where it is the first (G1)'(trial, mapping) {
    const token = randomUUID();
    await trial.store.stage(mapping, token, login(1), CREATE);
    await trial.has(mapping, 'pending', { token, fields: login(1) });
    await trial.has(mapping, 'current', undefined);
    const written = JSON.stringify(login(1).password).slice(1, -1);
    for (const { secret } of Object.values(mapping)) {
      const seen = (await trial.under.current(secret)) ?? '';
      assert.ok(!seen.includes(written));
      assert.notEqual(seen, login(1).password);
    }
  },

  async 'staging twice with one token keeps what was staged first (G4)'(trial, mapping) {
    const token = randomUUID();
    await trial.publish(mapping, login(0));
    await trial.store.stage(mapping, token, login(1), CREATE);
    await trial.store.stage(mapping, token, login(2), CREATE);
    await trial.has(mapping, 'pending', { token, fields: login(1) });
  },

  async 'discarding takes back what is pending, once or twice, and never what is current'(trial, mapping) {
    const token = randomUUID();
    const first = await trial.publish(mapping, login(1));
    await trial.store.stage(mapping, token, login(2), CREATE);
    for (const each of [token, token, first, randomUUID()]) await trial.store.discard(mapping, each);
    await trial.has(mapping, 'pending', undefined);
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
  },

  async 'a rehearsal leaves every stage as it was, also while another version is pending (G5)'(
    trial,
    mapping,
  ) {
    await trial.publish(mapping, login(1));
    await trial.publish(mapping, login(2));
    await trial.store.stage(mapping, randomUUID(), login(3), CREATE);
    const stages = () => Promise.all(STAGES.map((stage) => trial.store.read(mapping, stage)));
    const before = await stages();
    const token = randomUUID();
    await trial.store.rehearse(mapping, token, login(4));
    assert.deepEqual(await stages(), before);
    await refused(trial.store.promote(mapping, token, { back: true }), 'version-not-promotable');
  },
};

const promotionCases: Cases = {
  async 'a promoted version is current, the one before it previous, and none pending'(trial, mapping) {
    const first = await trial.publish(mapping, login(1));
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
    const second = await trial.publish(mapping, login(2));
    await trial.has(mapping, 'current', { token: second, fields: login(2) });
    await trial.has(mapping, 'previous', { token: first, fields: login(1) });
    await trial.has(mapping, 'pending', undefined);
  },

  async 'promoting twice is promoting once, and so is staging after it (G4)'(trial, mapping) {
    const first = await trial.publish(mapping, login(1));
    const second = await trial.publish(mapping, login(2));
    await trial.store.promote(mapping, second);
    await trial.store.stage(mapping, second, login(3), CREATE);
    await trial.store.promote(mapping, second);
    await trial.has(mapping, 'current', { token: second, fields: login(2) });
    await trial.has(mapping, 'previous', { token: first, fields: login(1) });
    await trial.has(mapping, 'pending', undefined);
  },

  async 'the previous version can be promoted back'(trial, mapping) {
    const first = await trial.publish(mapping, login(1));
    const second = await trial.publish(mapping, login(2));
    await trial.store.promote(mapping, first, { back: true });
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
    await trial.has(mapping, 'previous', { token: second, fields: login(2) });
  },

  async 'the previous version is not promoted by whoever wakes up late and does not mean to go back (G1)'(
    trial,
    mapping,
  ) {
    const first = await trial.publish(mapping, login(1));
    const second = await trial.publish(mapping, login(2));
    await refused(trial.store.promote(mapping, first), 'version-not-promotable');
    await trial.has(mapping, 'current', { token: second, fields: login(2) });
  },

  async 'a token that was never staged is not promoted'(trial, mapping) {
    const first = await trial.publish(mapping, login(1));
    await refused(trial.store.promote(mapping, randomUUID()), 'version-not-promotable');
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
  },
};

const refusalCases: Cases = {
  async 'a rehearsal makes nothing that does not exist'(trial, mapping) {
    const rehearsal = trial.store.rehearse(mapping, randomUUID(), login(1));
    await refused(rehearsal, 'secret-missing', 'secret-empty');
    await trial.madeNothing(mapping);
  },

  async 'each secret that does not exist is in the way of staging, unless it is to be made'(trial, mapping) {
    const obstacles = (create: boolean) => trial.store.obstacles(mapping, { create, current: {} });
    const secrets = [...new Set(Object.values(mapping).map(({ secret }) => secret))];
    const found = await obstacles(false);
    assert.deepEqual(
      found.map(({ code }) => code),
      secrets.map(() => 'secret-missing'),
    );
    for (const secret of secrets) assert.ok(JSON.stringify(found).includes(secret));
    assert.deepEqual(await obstacles(true), []);
    await trial.madeNothing(mapping);
    await trial.publish(mapping, login(1));
    assert.deepEqual(await obstacles(false), []);
  },

  async 'without create, what does not exist is missing, and nothing is made'(trial, mapping) {
    const staging = trial.store.stage(mapping, randomUUID(), login(1), { create: false });
    const { fact } = await refused(staging, 'secret-missing');
    assert.ok(JSON.stringify(fact.params).includes(String(mapping.password?.secret)));
    await trial.madeNothing(mapping);
  },
};
