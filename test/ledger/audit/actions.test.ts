import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { fact } from '../../../src/facts/fact.ts';
import { openTestLedger } from '../../support/ledger.ts';

const WHO = { requestedBy: 'margaret', requestedHost: 'ops-1', requestedReason: 'ticket 7' };

let kept: Awaited<ReturnType<typeof openTestLedger>>;
beforeEach(async () => {
  kept = await openTestLedger(inject('postgres'), { now: () => Date.parse('2026-05-01T00:00:00Z') });
});
afterEach(() => kept[Symbol.asyncDispose]());

const requested = async () => {
  const id = randomUUID();
  await kept.ledger.request({ id, policy: 'p', reason: 'manual', ...WHO });
  return id;
};
const kinds = async () => (await kept.ledger.actions.latest({ limit: 9 })).map(({ kind }) => kind);

test('a rotation keeps who asked for it, on which machine and why, and so does its replacement', async () => {
  const { ledger } = kept;
  const id = await requested();
  expect(await ledger.find(id)).toMatchObject(WHO);
  const replacement = await ledger.replace({ id, rolledBackBy: null }, randomUUID());
  expect(replacement).toMatchObject({ replaces: id, ...WHO });
});

test('a pause and its end leave an action each, with the change itself; a second pause leaves none', async () => {
  const { ledger } = kept;
  expect(await ledger.pause('p', WHO)).toBe(true);
  expect(await ledger.pause('p', { requestedBy: 'grace' })).toBe(false);
  expect(await ledger.timing('p')).toMatchObject({
    ...{ pausedBy: 'margaret', pausedHost: 'ops-1', pausedReason: 'ticket 7' },
  });
  expect(await ledger.resume('p', { requestedBy: 'grace' })).toBe(true);
  expect(await ledger.resume('p', { requestedBy: 'grace' })).toBe(false);
  const [resumed, paused, ...others] = await ledger.actions.latest({ policy: 'p', limit: 9 });
  expect(others).toEqual([]);
  expect(paused).toMatchObject({ kind: 'pause', status: 'done', rotation: null, ...WHO });
  expect(resumed).toMatchObject({ kind: 'resume', requestedBy: 'grace', requestedHost: null });
});

test('an emergency, a rollback and a cancellation of an open rotation leave an action each', async () => {
  const { ledger } = kept;
  const id = await requested();
  await ledger.escalate(id, WHO);
  await ledger.rollBack(id, { ...WHO, to: 'before' });
  await ledger.finish({ id, rolledBackBy: 'margaret' }, 'failed', undefined, WHO);
  const actions = await ledger.actions.latest({ limit: 9 });
  expect(actions.map(({ kind }) => kind)).toEqual(['cancel', 'rollback', 'emergency']);
  for (const action of actions) expect(action).toMatchObject({ policy: 'p', rotation: id, ...WHO });
});

test('what came too late leaves no action: the rotation is over, or on its way back', async () => {
  const { ledger } = kept;
  const id = await requested();
  await ledger.finish({ id, rolledBackBy: null }, 'done');
  expect(await ledger.escalate(id, WHO)).toBeUndefined();
  expect(await ledger.rollBack(id, { ...WHO, to: 'before' })).toBeUndefined();
  await expect(ledger.finish({ id, rolledBackBy: null }, 'failed', undefined, WHO)).rejects.toMatchObject({
    fact: { code: 'rotation-superseded' },
  });
  expect(await kinds()).toEqual([]);
});

test('an action in a target is there before it ends, and its outcome is written once (G6)', async () => {
  const { actions } = kept.ledger;
  const id = await actions.begin({ policy: 'p', kind: 'repair', ...WHO });
  expect(await actions.latest({ limit: 1 })).toMatchObject([
    { status: 'open', finishedAt: null, fact: null },
  ]);
  const changed = fact('roles-changed', { changes: 2, access: null, schemas: [] });
  await actions.end(id, { status: 'done', fact: changed });
  await actions.end(id, { status: 'failed', fact: fact('interrupted', {}) });
  expect(await actions.latest({ limit: 1 })).toMatchObject([{ status: 'done', fact: changed }]);
});

test('pages of rotations and actions have each once, oldest first, and respect policy and instant', async () => {
  const { ledger, pool } = kept;
  for (const policy of ['p', 'q', 'p', 'q', 'p', 'q', 'p', 'q', 'p', 'q', 'p', 'q'])
    await ledger.pause(`${policy}-${randomUUID()}`, WHO);
  await pool.query(`UPDATE keyturn.action SET policy = left(policy, 1), at = at + id * interval '1 day'`);
  const first = await ledger.actions.page({ after: '0', limit: 2 });
  const rest = await ledger.actions.page({ after: first.at(-1)?.id ?? '', limit: 99 });
  // Beyond nine: the order is that of numbers, not of their digits.
  const ids = [...first, ...rest].map(({ id }) => Number(id));
  expect(ids).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  expect((await ledger.actions.latest({ limit: 3 })).map(({ id }) => id)).toEqual(['12', '11', '10']);
  const since = new Date('2026-05-04T00:00:00Z');
  const some = await ledger.actions.page({ after: '0', limit: 9, policy: 'p', since });
  expect(some.map(({ at }) => at.toISOString())).toEqual([
    '2026-05-04T00:00:00.000Z',
    '2026-05-06T00:00:00.000Z',
    '2026-05-08T00:00:00.000Z',
    '2026-05-10T00:00:00.000Z',
    '2026-05-12T00:00:00.000Z',
  ]);
});
