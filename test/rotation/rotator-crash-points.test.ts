import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Event, StepName } from '../../src/ledger/rotation.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { openRotatorScenario, type RotatorScenario } from '../support/rotator-scenario.ts';

let world: RotatorScenario;
beforeAll(async () => {
  world = await openRotatorScenario(inject('postgres'));
  const own = world.fresh();
  expect(await own.finish(await own.request('first'))).toEqual({ status: 'done' });
});
afterAll(() => world[Symbol.asyncDispose]());

let passwordsBefore: number;
beforeEach(() => {
  passwordsBefore = world.staged.size;
});

describe("of the rotator's password", () => {
  // What one step has done and not recorded is what the next one begins with, but for the ledger.
  test.each<{ step: StepName; when: Event['kind']; where: string }>([
    { step: 'check', when: 'done', where: 'before check is recorded' },
    { step: 'stage', when: 'done', where: 'before stage is recorded' },
    { step: 'set', when: 'started', where: 'right before its password is set' },
    { step: 'set', when: 'done', where: 'right after its password is set' },
    { step: 'verify', when: 'done', where: 'before verify is recorded' },
    { step: 'publish', when: 'started', where: 'right before it is published' },
    { step: 'publish', when: 'done', where: 'right after it is published' },
  ])(
    'stopped $where, a rotation shuts keyturn out at no time and ends as done with one new password (G4)',
    async ({ step, when }) => {
      const own = world.fresh();
      const rotation = await own.request();
      const dying = own.with({ ledger: dyingWith(own.ledger, step, when) });
      await expect(dying.finish(rotation)).rejects.toThrow(GONE);

      // In a process that knows nothing but its configuration, of which the password is obsolete.
      const logins = world.freshLogins();
      await using context = logins.context(await logins.request());
      expect((await (await context.rotator()).query('SELECT current_user AS name')).rows).toEqual([
        { name: world.rotator },
      ]);
      await logins.ledger.finish(context.rotation, 'failed');

      const next = world.fresh();
      expect(await next.finish(rotation)).toEqual({ status: 'done' });
      const published = await next.published();
      await using _session = await next.logIn(published);
      expect([...world.staged].slice(passwordsBefore)).toEqual([published.password]);
      const [{ store, secrets }] = next.destinations;
      expect(await store.read(secrets, 'pending')).toBeUndefined();
      const events = await next.ledger.events([rotation.id]);
      expect(events.filter(({ kind }) => kind === 'done')).toHaveLength(5);
    },
  );
});

test('the first rotation, stopped between set and publish, leaves the pending password as the way in', async () => {
  await using young = await openRotatorScenario(inject('postgres'));
  const own = young.fresh();
  const rotation = await own.request('first');
  const dying = own.with({ ledger: dyingWith(own.ledger, 'verify', 'started') });
  await expect(dying.finish(rotation)).rejects.toThrow(GONE);
  const logins = young.freshLogins();
  expect(await logins.finish(await logins.request())).toEqual({ status: 'done' });
  const next = young.fresh();
  expect(await next.finish(rotation)).toEqual({ status: 'done' });
  expect([...young.staged]).toEqual([(await next.published()).password]);
});
