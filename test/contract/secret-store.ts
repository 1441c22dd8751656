import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import { fact } from '../../src/facts/fact.ts';
import type { Fields, SecretStore } from '../../src/secret-store/secret-store.ts';

/** What an adapter's test gives the suite: a store, and the outside's ways around it. */
export interface Harness {
  readonly store: SecretStore;
  /** Secret names of this test's own: all in one unit that the store can swap as closely as it can. */
  name(suffix: string): string;
  /** Such a name, in a unit of its own. */
  apart(suffix: string): string;
  /** Makes a secret by hand, as a user would. */
  make(secret: string, content: string): Promise<void>;
  /** Whether each secret of the store is a map of keys, so that a mapping by key always fits. */
  readonly keyed?: boolean;
  /** What a naive reader of the secret's current value gets; undefined when it does not exist. */
  current(secret: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What every adapter of the contract in src/secret-store/secret-store.ts must do. */
export function describeSecretStore(
  title: string,
  open: () => Promise<Harness>,
  { skip = false } = {},
): void {
  describe.skipIf(skip)(title, () => {
    let harness: Harness;
    let store: SecretStore;
    beforeEach(async () => {
      harness = await open();
      store = harness.store;
    });
    afterEach(() => harness.close());

    const login = (number: number): Fields => ({
      username: `user-${number}`,
      password: `p'"\\\n${number} é`,
    });
    const pair = (): Mapping => ({
      username: { secret: harness.name('username') },
      password: { secret: harness.name('password') },
    });
    /** Two secrets that do not change at one instant, however the store swaps. */
    const apart = (): Mapping => ({
      username: { secret: harness.apart('username') },
      password: { secret: harness.apart('password') },
    });
    const json = (): Mapping => ({
      username: { secret: harness.name('login.json'), key: 'username' },
      password: { secret: harness.name('login.json'), key: 'password' },
    });
    const create = { create: true };

    async function publish(mapping: Mapping, fields: Fields): Promise<string> {
      const token = randomUUID();
      await store.stage(mapping, token, fields, create);
      await store.promote(mapping, token);
      return token;
    }

    test('what does not exist is absent, at every stage', async () => {
      for (const stage of ['current', 'pending', 'previous'] as const) {
        expect(await store.read(pair(), stage)).toBeUndefined();
        expect(await store.read(json(), stage)).toBeUndefined();
      }
    });

    test('tells since when the current version is there, as far as it can, and of nothing where there is none', async () => {
      expect(await store.since(apart())).toBeUndefined();
      const mapping = apart();
      await store.stage(mapping, randomUUID(), login(1), create);
      expect(await store.since(mapping)).toBeUndefined();
      await publish(mapping, login(2));
      const first = await store.since(mapping);
      // The store's own clock, and AWS tells whole seconds.
      expect(Math.abs(Date.now() - Number(first))).toBeLessThan(300_000);
      await publish(mapping, login(3));
      expect(Number(await store.since(mapping))).toBeGreaterThanOrEqual(Number(first));
    });

    describe.each([
      ['two secrets', pair],
      ['two secrets apart', apart],
      ['one JSON secret', json],
      [
        'a mix of both',
        () => ({ ...pair(), password: { secret: harness.name('login.json'), key: 'password' } }),
      ],
    ])('with %s', (_name, mappingOf) => {
      test('a staged version is pending and not current, even where it is the first (G1)', async () => {
        const [mapping, token] = [mappingOf(), randomUUID()];
        await store.stage(mapping, token, login(1), create);
        expect(await store.read(mapping, 'pending')).toEqual({ token, fields: login(1) });
        expect(await store.read(mapping, 'current')).toBeUndefined();
        for (const { secret } of Object.values(mapping)) {
          expect((await harness.current(secret)) ?? '').not.toContain(
            JSON.stringify(login(1).password).slice(1, -1),
          );
          expect(await harness.current(secret)).not.toBe(login(1).password);
        }
      });

      test('a promoted version is current, the one before it previous, and none pending', async () => {
        const mapping = mappingOf();
        const first = await publish(mapping, login(1));
        expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
        const second = await publish(mapping, login(2));
        expect(await store.read(mapping, 'current')).toEqual({ token: second, fields: login(2) });
        expect(await store.read(mapping, 'previous')).toEqual({ token: first, fields: login(1) });
        expect(await store.read(mapping, 'pending')).toBeUndefined();
      });

      test('staging twice with one token keeps what was staged first (G4)', async () => {
        const [mapping, token] = [mappingOf(), randomUUID()];
        await publish(mapping, login(0));
        await store.stage(mapping, token, login(1), create);
        await store.stage(mapping, token, login(2), create);
        expect(await store.read(mapping, 'pending')).toEqual({ token, fields: login(1) });
      });

      test('promoting twice is promoting once, and so is staging after it (G4)', async () => {
        const mapping = mappingOf();
        const first = await publish(mapping, login(1));
        const second = await publish(mapping, login(2));
        await store.promote(mapping, second);
        await store.stage(mapping, second, login(3), create);
        await store.promote(mapping, second);
        expect(await store.read(mapping, 'current')).toEqual({ token: second, fields: login(2) });
        expect(await store.read(mapping, 'previous')).toEqual({ token: first, fields: login(1) });
        expect(await store.read(mapping, 'pending')).toBeUndefined();
      });

      test('discarding takes back what is pending, once or twice, and never what is current', async () => {
        const [mapping, token] = [mappingOf(), randomUUID()];
        const first = await publish(mapping, login(1));
        await store.stage(mapping, token, login(2), create);
        await store.discard(mapping, token);
        await store.discard(mapping, token);
        await store.discard(mapping, first);
        await store.discard(mapping, randomUUID());
        expect(await store.read(mapping, 'pending')).toBeUndefined();
        expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
      });

      test('a rehearsal leaves every stage as it was, also while another version is pending (G5)', async () => {
        const mapping = mappingOf();
        await publish(mapping, login(1));
        await publish(mapping, login(2));
        await store.stage(mapping, randomUUID(), login(3), create);
        const stages = () =>
          Promise.all(
            (['current', 'pending', 'previous'] as const).map((stage) => store.read(mapping, stage)),
          );
        const before = await stages();
        const token = randomUUID();
        await store.rehearse(mapping, token, login(4));
        expect(await stages()).toEqual(before);
        await expect(store.promote(mapping, token, { back: true })).rejects.toMatchObject({
          fact: { code: 'version-not-promotable' },
        });
      });

      test('a rehearsal makes nothing that does not exist', async () => {
        const mapping = mappingOf();
        await expect(store.rehearse(mapping, randomUUID(), login(1))).rejects.toMatchObject({
          fact: { code: expect.stringMatching(/^secret-(missing|empty)$/) },
        });
        for (const { secret } of Object.values(mapping))
          expect(await harness.current(secret)).toBeUndefined();
      });

      test('each secret that does not exist is in the way of staging, unless it is to be made', async () => {
        const mapping = mappingOf();
        const obstacles = (options: { create: boolean }) =>
          store.obstacles(mapping, { ...options, current: {} });
        const secrets = [...new Set(Object.values(mapping).map(({ secret }) => secret))];
        const found = await obstacles({ create: false });
        expect(found.map(({ code }) => code)).toEqual(secrets.map(() => 'secret-missing'));
        for (const secret of secrets) expect(JSON.stringify(found)).toContain(secret);
        expect(await obstacles({ create: true })).toEqual([]);
        for (const secret of secrets) expect(await harness.current(secret)).toBeUndefined();
        await publish(mapping, login(1));
        expect(await obstacles({ create: false })).toEqual([]);
      });

      test('the previous version can be promoted back', async () => {
        const mapping = mappingOf();
        const first = await publish(mapping, login(1));
        const second = await publish(mapping, login(2));
        await store.promote(mapping, first, { back: true });
        expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
        expect(await store.read(mapping, 'previous')).toEqual({ token: second, fields: login(2) });
      });

      test('the previous version is not promoted by whoever wakes up late and does not mean to go back (G1)', async () => {
        const mapping = mappingOf();
        const first = await publish(mapping, login(1));
        const second = await publish(mapping, login(2));
        await expect(store.promote(mapping, first)).rejects.toMatchObject({
          fact: { code: 'version-not-promotable' },
        });
        expect(await store.read(mapping, 'current')).toEqual({ token: second, fields: login(2) });
      });

      test('a token that was never staged is not promoted', async () => {
        const mapping = mappingOf();
        const first = await publish(mapping, login(1));
        await expect(store.promote(mapping, randomUUID())).rejects.toMatchObject({
          fact: { code: 'version-not-promotable' },
        });
        expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
      });

      test('without create, what does not exist is missing, and nothing is made', async () => {
        const mapping = mappingOf();
        await expect(store.stage(mapping, randomUUID(), login(1), { create: false })).rejects.toMatchObject({
          fact: {
            code: 'secret-missing',
            params: { secret: expect.stringContaining(String(mapping.password?.secret)) },
          },
        });
        for (const { secret } of Object.values(mapping))
          expect(await harness.current(secret)).toBeUndefined();
      });
    });

    describe.each([
      ['two secrets', pair],
      ['two secrets apart', apart],
    ])('a promotion of %s that stopped halfway', (_name, mappingOf) => {
      let mapping: Mapping;
      let first: string;
      let token: string;
      beforeEach(async () => {
        mapping = mappingOf();
        first = await publish(mapping, login(1));
        token = randomUUID();
        await store.stage(mapping, token, login(2), create);
      });
      describe.each(['username', 'password'] as const)('after the %s', (field) => {
        beforeEach(() => store.promote({ [field]: mapping[field] }, token));

        test('has its version still, whole, as pending or as current (G4)', async () => {
          const [pending, current] = [
            await store.read(mapping, 'pending'),
            await store.read(mapping, 'current'),
          ];
          expect([pending, current]).toContainEqual({ token, fields: login(2) });
        });

        test('is completed by the next, without another password (G1, G4)', async () => {
          await store.stage(mapping, token, login(3), create);
          await store.promote(mapping, token);
          expect(await store.read(mapping, 'current')).toEqual({ token, fields: login(2) });
          expect(await store.read(mapping, 'previous')).toEqual({ token: first, fields: login(1) });
          expect(await store.read(mapping, 'pending')).toBeUndefined();
        });

        test('is not taken back by a discard: the rest can only follow (G1)', async () => {
          await store.discard(mapping, token);
          await store.promote(mapping, token);
          expect(await store.read(mapping, 'current')).toEqual({ token, fields: login(2) });
        });
      });
    });

    test('a version that is staged in some of the secrets is not promoted, and nothing moves (G1)', async () => {
      const [mapping, token] = [apart(), randomUUID()];
      const first = await publish(mapping, login(1));
      await store.stage({ password: { secret: harness.apart('password') } }, token, login(2), create);
      await expect(store.promote(mapping, token)).rejects.toMatchObject({
        fact: { code: 'version-not-promotable' },
      });
      expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
      expect(await store.read(mapping, 'pending')).toEqual({
        token,
        fields: { password: login(2).password },
      });
    });

    describe('what was staged first under a token', () => {
      const withUrl = (): Mapping => ({
        url: { secret: harness.apart('url') },
        username: { secret: harness.apart('username') },
        password: { secret: harness.apart('password') },
      });
      const whole = (number: number) => ({
        ...login(number),
        url: `postgresql://u:${number}@host/db`,
      });

      test('keeps a second password away from the secrets that are not staged yet (G4)', async () => {
        const [mapping, token] = [withUrl(), randomUUID()];
        await store.stage({ password: { secret: harness.apart('password') } }, token, login(1), create);
        await expect(store.stage(mapping, token, whole(2), create)).rejects.toMatchObject({
          fact: { code: 'version-conflict', params: { token, field: 'password' } },
        });
        expect(await store.read(mapping, 'pending')).toEqual({
          token,
          fields: { password: login(1).password },
        });
        await store.stage(mapping, token, whole(1), create);
        expect(await store.read(mapping, 'pending')).toEqual({ token, fields: whole(1) });
      });

      test('stays what all end with that stage at once (G4)', async () => {
        const [mapping, token] = [withUrl(), randomUUID()];
        await store.stage({ password: { secret: harness.apart('password') } }, token, login(1), create);
        const attempts = [whole(2), whole(1), whole(3)].map((fields) =>
          store.stage(mapping, token, fields, create),
        );
        await Promise.allSettled(attempts);
        expect(await store.read(mapping, 'pending')).toEqual({ token, fields: whole(1) });
      });
    });

    test('two that promote at once both succeed', async () => {
      const mapping = apart();
      await publish(mapping, login(0));
      for (let round = 1; round <= 5; round += 1) {
        const token = randomUUID();
        await store.stage(mapping, token, login(round), create);
        await Promise.all([1, 2, 3].map(() => store.promote(mapping, token)));
        expect(await store.read(mapping, 'current')).toEqual({ token, fields: login(round) });
        expect(await store.read(mapping, 'pending')).toBeUndefined();
      }
    });

    test('a discarded version is not promoted, but can be staged again', async () => {
      const [mapping, token] = [apart(), randomUUID()];
      const first = await publish(mapping, login(1));
      await store.stage(mapping, token, login(2), create);
      await store.discard(mapping, token);
      await expect(store.promote(mapping, token)).rejects.toMatchObject({
        fact: { code: 'version-not-promotable' },
      });
      expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
      await store.stage(mapping, token, login(2), create);
      expect(await store.read(mapping, 'pending')).toEqual({ token, fields: login(2) });
      await store.promote(mapping, token);
      expect(await store.read(mapping, 'current')).toEqual({ token, fields: login(2) });
    });

    test('what is pending of mixed origin has no token, and goes field by field', async () => {
      const mapping = apart();
      const first = await publish(mapping, login(1));
      for (const [field, secret] of Object.entries(mapping)) {
        await store.stage({ [field]: secret }, randomUUID(), login(2), create);
      }
      expect(await store.read(mapping, 'pending')).toEqual({ token: undefined, fields: login(2) });
      for (const [field, secret] of Object.entries(mapping)) {
        const part = { [field]: secret };
        await store.discard(part, String((await store.read(part, 'pending'))?.token));
      }
      expect(await store.read(mapping, 'pending')).toBeUndefined();
      expect(await store.read(mapping, 'current')).toEqual({ token: first, fields: login(1) });
    });

    test('a version that another took the place of is not pending by staging it late', async () => {
      const mapping = pair();
      const first = await publish(mapping, login(1));
      await publish(mapping, login(2));
      await store.stage(mapping, first, login(1), create);
      expect(await store.read(mapping, 'pending')).toBeUndefined();
    });

    test.each(['', undefined])(
      'a field whose value is %j is invalid, named, and not written',
      async (value) => {
        const mapping = { ...pair(), url: { secret: harness.name('login.json'), key: 'url' } };
        const fields = { ...login(1), ...(value === undefined ? {} : { url: value }) };
        const staging = store.stage(mapping, randomUUID(), fields, create);
        await expect(staging).rejects.toMatchObject({
          fact: fact('field-without-value', { field: 'url', secret: mapping.url.secret }),
        });
        for (const { secret } of Object.values(mapping))
          expect(await harness.current(secret)).toBeUndefined();
      },
    );

    test('a JSON secret that has none of the mapped keys is absent, and keeps those it has', async () => {
      const secret = harness.name('login.json');
      await harness.make(secret, '{"team":"orders"}');
      expect(await store.read(json(), 'current')).toBeUndefined();
      const token = randomUUID();
      await store.stage(json(), token, login(1), { create: false });
      expect(await store.read(json(), 'current')).toBeUndefined();
      await store.promote(json(), token);
      expect(JSON.parse(String(await harness.current(secret)))).toEqual({ team: 'orders', ...login(1) });
      expect(await store.read(json(), 'current')).toEqual({ token, fields: login(1) });
      expect(await store.read(json(), 'previous')).toBeUndefined();
    });

    test('a JSON secret whose mapped keys are empty is absent, and one that is empty has no value there', async () => {
      const secret = harness.name('login.json');
      await harness.make(secret, '{"team":"orders","username":"","password":""}');
      expect(await store.read(json(), 'current')).toBeUndefined();
      await publish(json(), login(1));
      expect(JSON.parse(String(await harness.current(secret)))).toEqual({ team: 'orders', ...login(1) });
      const half = harness.apart('login.json');
      await harness.make(half, '{"username":"by-hand","password":""}');
      const mapping = {
        username: { secret: half, key: 'username' },
        password: { secret: half, key: 'password' },
      };
      expect((await store.read(mapping, 'current'))?.fields).toEqual({ username: 'by-hand' });
    });

    test('a JSON secret keeps its other keys, whatever their type, and its port is a number', async () => {
      const secret = harness.name('login.json');
      await harness.make(secret, '{"team":"orders","replicas":[1,null],"username":"old","port":1}');
      const mapping = { ...json(), port: { secret, key: 'port' } };
      await store.stage(mapping, randomUUID(), { ...login(1), port: '5432' }, { create: false });
      expect((await store.read(mapping, 'current'))?.fields).toEqual({ username: 'old', port: '1' });
      await publish(mapping, { ...login(2), port: '5433' });
      expect(JSON.parse(String(await harness.current(secret)))).toEqual({
        team: 'orders',
        replicas: [1, null],
        ...login(2),
        port: 5433,
      });
      expect((await store.read(mapping, 'current'))?.fields).toEqual({ ...login(2), port: '5433' });
    });

    test('a secret that is mapped by key but holds no JSON object is invalid, and not quoted (G3)', async () => {
      if (harness.keyed) return;
      await harness.make(harness.name('login.json'), 'hunter2');
      const staging = store.stage(json(), randomUUID(), login(1), create);
      await expect(staging).rejects.toMatchObject({ fact: { code: 'secret-not-json' } });
      await expect(staging).rejects.not.toThrow(/hunter2/);
    });

    test('secrets made by hand are read, without a token', async () => {
      const mapping = pair();
      await harness.make(harness.name('username'), 'by-hand');
      await harness.make(harness.name('password'), 'typed');
      expect(await store.read(mapping, 'current')).toEqual({
        token: undefined,
        fields: { username: 'by-hand', password: 'typed' },
      });
    });
  });
}
