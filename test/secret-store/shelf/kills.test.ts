import { describe, expect, test } from 'vitest';
import type { Mapping } from '../../../src/config/policy.ts';
import type { Fields, SecretStore } from '../../../src/secret-store/secret-store.ts';
import { storeWithShelf } from '../../../src/secret-store/shelf/with-shelf.ts';
import { Memory } from './memory-backend.ts';

const MAPPING: Mapping = {
  username: { secret: 'username' },
  password: { secret: 'password' },
  host: { secret: 'host' },
};
const ORDERS = [
  ['username', 'password', 'host'],
  ['username', 'host', 'password'],
  ['password', 'username', 'host'],
  ['password', 'host', 'username'],
  ['host', 'username', 'password'],
  ['host', 'password', 'username'],
];
const CREATE = { create: true };

const kinds: readonly (readonly [kind: string, fields: (number: number) => Fields])[] = [
  // Each username comes back in the second rotation after it.
  ['logins', (n) => ({ username: `user-${n % 2}`, password: `p${n}`, host: 'db' })],
  ['a rotator', (n) => ({ username: 'keyturn', password: `p${n}`, host: 'db' })],
  // The third rotation writes again what the first wrote.
  [
    'a host that moves and comes back',
    (n) => ({ username: 'keyturn', password: `p${n}`, host: `db${n % 2}` }),
  ],
];
const begun: readonly (readonly [before: string, begin: (memory: Memory) => void])[] = [
  ['nothing', () => {}],
  ['a host made by hand', ({ shown }) => void shown.set('host', 'db')],
  [
    'all made by hand',
    ({ shown }) => {
      for (const name of ['username', 'password', 'host']) shown.set(name, name);
    },
  ],
];

type Verb = (store: SecretStore) => Promise<unknown>;

/** Runs a verb once for each write that it does, and kills it before that write; the last time not at all. */
async function atEachKill(
  start: () => Promise<Memory>,
  verb: Verb,
  then: (memory: Memory, whole: boolean) => Promise<void>,
): Promise<void> {
  for (const order of ORDERS) {
    for (let lives = 0; ; lives += 1) {
      const memory = await start();
      const backend = memory.backend(order, lives);
      const ended = await verb(storeWithShelf('memory', backend)).then(
        () => undefined,
        (error: Error) => error,
      );
      expect(ended?.message).toBe(backend.isKilled() ? 'killed' : undefined);
      await then(memory, !backend.isKilled());
      if (!backend.isKilled()) break;
    }
  }
}

const open = (memory: Memory) => storeWithShelf('memory', memory.backend(ORDERS[0] ?? []));

describe.each(kinds)('kept apart, the secrets of %s,', (_, fields) => {
  describe.each(begun)('where there was %s,', (__, begin) => {
    const rotated = (count: number) => async (): Promise<Memory> => {
      const memory = new Memory();
      begin(memory);
      for (let number = 1; number <= count; number += 1) {
        await open(memory).stage(MAPPING, `t${number}`, fields(number), CREATE);
        await open(memory).promote(MAPPING, `t${number}`);
      }
      return memory;
    };
    const staged = (count: number) => async () => {
      const memory = await rotated(count)();
      await open(memory).stage(MAPPING, `t${count + 1}`, fields(count + 1), CREATE);
      return memory;
    };
    const version = (number: number) => ({ token: `t${number}`, fields: fields(number) });
    const shows = (memory: Memory, number: number) =>
      memory.shown.size === 3 &&
      JSON.stringify(Object.fromEntries(memory.shown)) === JSON.stringify(sorted(memory, fields(number)));

    test.each([1, 2, 3])(
      'rotation %i goes on after a kill before any write of its promotion (G4)',
      (number) =>
        atEachKill(
          staged(number - 1),
          (store) => store.promote(MAPPING, `t${number}`),
          async (memory) => {
            const store = open(memory);
            const current = await store.read(MAPPING, 'current');
            // What consumers see is never told as another version (G1).
            expect(current?.fields ?? {}).toEqual(Object.fromEntries(memory.shown));
            if (current?.token === `t${number}`) expect(version(number)).toMatchObject(current);
            if (current?.token === `t${number - 1}`) expect(current).toEqual(version(number - 1));
            if (shows(memory, number)) expect(current).toEqual(version(number));
            else expect(await store.read(MAPPING, 'pending')).toEqual(version(number));
            await store.stage(MAPPING, `t${number}`, { ...fields(number), password: 'other' }, CREATE);
            await store.promote(MAPPING, `t${number}`);
            expect(await store.read(MAPPING, 'current')).toEqual(version(number));
            expect(await store.read(MAPPING, 'pending')).toBeUndefined();
            if (number > 1) expect(await store.read(MAPPING, 'previous')).toEqual(version(number - 1));
          },
        ),
    );

    test('the next rotation is published, whole, though a kill ended the one before for ever (G4)', () =>
      atEachKill(
        staged(1),
        (store) => store.promote(MAPPING, 't2'),
        async (memory) => {
          const isShown = shows(memory, 2);
          const store = open(memory);
          await store.stage(MAPPING, 't3', fields(3), CREATE);
          await store.promote(MAPPING, 't3');
          expect(await store.read(MAPPING, 'current')).toEqual(version(3));
          if (isShown) expect(await store.read(MAPPING, 'previous')).toEqual(version(2));
        },
      ));

    test('a rollback goes on after a kill before any of its writes (G4)', () =>
      atEachKill(
        rotated(3),
        (store) => store.promote(MAPPING, 't2', { back: true }),
        async (memory) => {
          const store = open(memory);
          if (shows(memory, 2)) expect(await store.read(MAPPING, 'current')).toEqual(version(2));
          await store.promote(MAPPING, 't2', { back: true });
          expect(await store.read(MAPPING, 'current')).toEqual(version(2));
          expect(await store.read(MAPPING, 'previous')).toEqual(version(3));
          expect(await store.read(MAPPING, 'pending')).toBeUndefined();
        },
      ));

    test.each([1, 2, 3])(
      'what rotation %i staged is taken back before its promotion, whatever is killed (G3, G5)',
      (number) =>
        atEachKill(
          staged(number - 1),
          (store) => store.discard(MAPPING, `t${number}`),
          async (memory) => {
            const shown = new Map(memory.shown);
            await open(memory).discard(MAPPING, `t${number}`);
            expect([...memory.shelves.values()].join()).not.toContain(`"p${number}"`);
            expect(await open(memory).read(MAPPING, 'pending')).toBeUndefined();
            expect(memory.shown).toEqual(shown);
            if (number > 1) expect(await open(memory).read(MAPPING, 'current')).toEqual(version(number - 1));
          },
        ),
    );

    test('what consumers see of a promotion is never taken back by a discard (G1)', () =>
      atEachKill(
        staged(2),
        (store) => store.promote(MAPPING, 't3'),
        async (memory) => {
          if (shows(memory, 2)) return;
          const parts = Object.entries(MAPPING).map(([field, secret]) => ({ [field]: secret }));
          const read = parts.map((part) => open(memory).read(part, 'current'));
          expect((await Promise.all(read)).map((part) => part?.token)).toContain('t3');
          await open(memory).discard(MAPPING, 't3');
          await open(memory).promote(MAPPING, 't3');
          expect(await open(memory).read(MAPPING, 'current')).toEqual(version(3));
          expect(await open(memory).read(MAPPING, 'previous')).toEqual(version(2));
        },
      ));
  });
});

function sorted(memory: Memory, fields: Fields): object {
  const all = fields as Readonly<Record<string, string>>;
  return Object.fromEntries([...memory.shown.keys()].map((name) => [name, all[name]]));
}

test('what somebody edited is replaced by a promotion that is repeated, and becomes previous (G1, G4)', async () => {
  const memory = new Memory();
  const fields = { username: 'u', password: 'p', host: 'db' };
  await open(memory).stage(MAPPING, 't1', fields, CREATE);
  await open(memory).promote(MAPPING, 't1');
  memory.shown.set('password', 'edited');
  await open(memory).promote(MAPPING, 't1');
  expect(await open(memory).read(MAPPING, 'current')).toEqual({ token: 't1', fields });
  const part = { password: { secret: 'password' } };
  expect((await open(memory).read(part, 'previous'))?.fields).toEqual({ password: 'edited' });
});

test('a worker that slept through the next rotation records nothing in secrets that stay the same (G1)', async () => {
  const memory = new Memory();
  const fields = (number: number) => ({ username: 'keyturn', password: `p${number}`, host: 'db' });
  for (const number of [1, 2]) await open(memory).stage(MAPPING, `t${number}`, fields(number), CREATE);
  await open(memory).promote(MAPPING, 't2');
  await open(memory).stage(MAPPING, 't3', fields(3), CREATE);
  const backend = memory.backend(ORDERS[0] ?? []);
  // It sleeps between the last write that consumers see and the first that records it.
  const late = storeWithShelf('memory', {
    ...backend,
    whenShown: async () => {
      await open(memory).promote(MAPPING, 't3');
      await open(memory).stage(MAPPING, 't4', fields(4), CREATE);
      await open(memory).promote(MAPPING, 't4');
    },
  });
  await late.promote(MAPPING, 't3');
  expect(await open(memory).read(MAPPING, 'current')).toEqual({ token: 't4', fields: fields(4) });
  expect(await open(memory).read({ host: { secret: 'host' } }, 'current')).toMatchObject({ token: 't4' });
  expect(await open(memory).read(MAPPING, 'previous')).toEqual({ token: 't3', fields: fields(3) });
});
