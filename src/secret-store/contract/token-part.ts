import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import type { Fields } from '../secret-store.ts';
import { CREATE, login, type Part, refused, type Trial } from './trial.ts';

const withUrl = ({ under }: Trial): Mapping => ({
  url: { secret: under.apart('url') },
  username: { secret: under.apart('username') },
  password: { secret: under.apart('password') },
});
const whole = (number: number): Fields => ({ ...login(number), url: `postgresql://u:${number}@host/db` });

/** What one token stands for, whoever is at work under it. */
export const tokenPart: Part = {
  async 'a version that is staged in some of the secrets is not promoted, and nothing moves (G1)'(trial) {
    const [mapping, token] = [trial.apart(), randomUUID()];
    const first = await trial.publish(mapping, login(1));
    const part: Mapping = { password: { secret: trial.under.apart('password') } };
    await trial.store.stage(part, token, login(2), CREATE);
    await refused(trial.store.promote(mapping, token), 'version-not-promotable');
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
    await trial.has(mapping, 'pending', { token, fields: { password: String(login(2).password) } });
  },

  async 'what was staged first keeps a second password away from the other secrets (G4)'(trial) {
    const [mapping, token] = [withUrl(trial), randomUUID()];
    const part: Mapping = { password: { secret: trial.under.apart('password') } };
    await trial.store.stage(part, token, login(1), CREATE);
    const { fact } = await refused(trial.store.stage(mapping, token, whole(2), CREATE), 'version-conflict');
    assert.deepEqual({ ...fact.params, store: '' }, { store: '', token, field: 'password' });
    await trial.has(mapping, 'pending', { token, fields: { password: String(login(1).password) } });
    await trial.store.stage(mapping, token, whole(1), CREATE);
    await trial.has(mapping, 'pending', { token, fields: whole(1) });
  },

  async 'what was staged first stays what all end with that stage at once (G4)'(trial) {
    const [mapping, token] = [withUrl(trial), randomUUID()];
    const part: Mapping = { password: { secret: trial.under.apart('password') } };
    await trial.store.stage(part, token, login(1), CREATE);
    const stage = (number: number) => trial.store.stage(mapping, token, whole(number), CREATE);
    await Promise.allSettled([2, 1, 3].map(stage));
    await trial.has(mapping, 'pending', { token, fields: whole(1) });
  },

  async 'two that promote at once both succeed'(trial) {
    const mapping = trial.apart();
    await trial.publish(mapping, login(0));
    for (let round = 1; round <= 5; round += 1) {
      const token = randomUUID();
      await trial.store.stage(mapping, token, login(round), CREATE);
      await Promise.all([1, 2, 3].map(() => trial.store.promote(mapping, token)));
      await trial.has(mapping, 'current', { token, fields: login(round) });
      await trial.has(mapping, 'pending', undefined);
    }
  },

  async 'a discarded version is not promoted, but can be staged again'(trial) {
    const [mapping, token] = [trial.apart(), randomUUID()];
    const first = await trial.publish(mapping, login(1));
    await trial.store.stage(mapping, token, login(2), CREATE);
    await trial.store.discard(mapping, token);
    await refused(trial.store.promote(mapping, token), 'version-not-promotable');
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
    await trial.store.stage(mapping, token, login(2), CREATE);
    await trial.has(mapping, 'pending', { token, fields: login(2) });
    await trial.store.promote(mapping, token);
    await trial.has(mapping, 'current', { token, fields: login(2) });
  },

  async 'what is pending of mixed origin has no token, and goes field by field'(trial) {
    const mapping = trial.apart();
    const first = await trial.publish(mapping, login(1));
    const parts = Object.entries(mapping).map(([field, secret]): Mapping => ({ [field]: secret }));
    for (const part of parts) await trial.store.stage(part, randomUUID(), login(2), CREATE);
    await trial.has(mapping, 'pending', { token: undefined, fields: login(2) });
    for (const part of parts) {
      await trial.store.discard(part, String((await trial.store.read(part, 'pending'))?.token));
    }
    await trial.has(mapping, 'pending', undefined);
    await trial.has(mapping, 'current', { token: first, fields: login(1) });
  },

  async 'a version that another took the place of is not pending by staging it late'(trial) {
    const mapping = trial.pair();
    const first = await trial.publish(mapping, login(1));
    await trial.publish(mapping, login(2));
    await trial.store.stage(mapping, first, login(1), CREATE);
    await trial.has(mapping, 'pending', undefined);
  },
};
