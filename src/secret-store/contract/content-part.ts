import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import { CREATE, login, type Part, refused, type Trial } from './trial.ts';

const STAGES = ['current', 'pending', 'previous'] as const;

async function objectIn(trial: Trial, secret: string): Promise<unknown> {
  return JSON.parse(String(await trial.under.current(secret)));
}

function refusesValue(value: string | undefined): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const url = { secret: trial.under.name('login.json'), key: 'url' };
    const mapping = { ...trial.pair(), url };
    const fields = { ...login(1), ...(value === undefined ? {} : { url: value }) };
    const staging = trial.store.stage(mapping, randomUUID(), fields, CREATE);
    const { fact } = await refused(staging, 'field-without-value');
    assert.deepEqual(fact.params, { field: 'url', secret: url.secret });
    await trial.madeNothing(mapping);
  };
}

/** What secrets hold, and how it is read. */
export const contentPart: Part = {
  async 'what does not exist is absent, at every stage'(trial) {
    for (const stage of STAGES) {
      await trial.has(trial.pair(), stage, undefined);
      await trial.has(trial.json(), stage, undefined);
    }
  },

  async 'tells since when the current version is there, as far as it can, and of nothing where there is none'(
    trial,
  ) {
    assert.equal(await trial.store.since(trial.apart()), undefined);
    const mapping = trial.apart();
    await trial.store.stage(mapping, randomUUID(), login(1), CREATE);
    assert.equal(await trial.store.since(mapping), undefined);
    await trial.publish(mapping, login(2));
    const first = await trial.store.since(mapping);
    // The store's own clock, and some tell whole seconds.
    assert.ok(Math.abs(Date.now() - Number(first)) < 300_000);
    await trial.publish(mapping, login(3));
    assert.ok(Number(await trial.store.since(mapping)) >= Number(first));
  },

  'a field whose value is empty is invalid, named, and not written': refusesValue(''),
  'a field that has no value is invalid, named, and not written': refusesValue(undefined),

  async 'a JSON secret that has none of the mapped keys is absent, and keeps those it has'(trial) {
    const secret = trial.under.name('login.json');
    await trial.under.make(secret, '{"team":"orders"}');
    await trial.has(trial.json(), 'current', undefined);
    const token = randomUUID();
    await trial.store.stage(trial.json(), token, login(1), { create: false });
    await trial.has(trial.json(), 'current', undefined);
    await trial.store.promote(trial.json(), token);
    assert.deepEqual(await objectIn(trial, secret), { team: 'orders', ...login(1) });
    await trial.has(trial.json(), 'current', { token, fields: login(1) });
    await trial.has(trial.json(), 'previous', undefined);
  },

  async 'a JSON secret whose mapped keys are empty is absent, and one that is empty has no value there'(
    trial,
  ) {
    const secret = trial.under.name('login.json');
    await trial.under.make(secret, '{"team":"orders","username":"","password":""}');
    await trial.has(trial.json(), 'current', undefined);
    await trial.publish(trial.json(), login(1));
    assert.deepEqual(await objectIn(trial, secret), { team: 'orders', ...login(1) });
    const half = trial.under.apart('login.json');
    await trial.under.make(half, '{"username":"by-hand","password":""}');
    const mapping: Mapping = {
      username: { secret: half, key: 'username' },
      password: { secret: half, key: 'password' },
    };
    assert.deepEqual((await trial.store.read(mapping, 'current'))?.fields, { username: 'by-hand' });
  },

  async 'a JSON secret keeps its other keys, whatever their type, and its port is a number'(trial) {
    const secret = trial.under.name('login.json');
    await trial.under.make(secret, '{"team":"orders","replicas":[1,null],"username":"old","port":1}');
    const mapping: Mapping = { ...trial.json(), port: { secret, key: 'port' } };
    await trial.store.stage(mapping, randomUUID(), { ...login(1), port: '5432' }, { create: false });
    const seen = async () => (await trial.store.read(mapping, 'current'))?.fields;
    assert.deepEqual(await seen(), { username: 'old', port: '1' });
    await trial.publish(mapping, { ...login(2), port: '5433' });
    const expected = { team: 'orders', replicas: [1, null], ...login(2), port: 5433 };
    assert.deepEqual(await objectIn(trial, secret), expected);
    assert.deepEqual(await seen(), { ...login(2), port: '5433' });
  },

  async 'a secret that is mapped by key but holds no JSON object is invalid, and not quoted (G3)'(trial) {
    if (trial.under.keyed) return;
    await trial.under.make(trial.under.name('login.json'), 'hunter2');
    const staging = trial.store.stage(trial.json(), randomUUID(), login(1), CREATE);
    const thrown = await refused(staging, 'secret-not-json');
    assert.ok(!`${thrown.stack}${JSON.stringify(thrown.fact)}`.includes('hunter2'));
  },

  async 'secrets made by hand are read, without a token'(trial) {
    const mapping = trial.pair();
    await trial.under.make(trial.under.name('username'), 'by-hand');
    await trial.under.make(trial.under.name('password'), 'typed');
    const fields = { username: 'by-hand', password: 'typed' };
    await trial.has(mapping, 'current', { token: undefined, fields });
  },
};
