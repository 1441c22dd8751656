import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { fact } from '../../../src/facts/fact.ts';
import type { Position } from '../../../src/ledger/retention/prune-rotations.ts';
import { openTestLedger, type SetClock, setClock } from '../../support/ledger.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const KEEP = 400 * DAY;
const WHO = { requestedBy: 'test' };

let clock: SetClock;
let kept: Awaited<ReturnType<typeof openTestLedger>>;
beforeEach(async () => {
  clock = setClock(START);
  kept = await openTestLedger(inject('postgres'), clock);
});
afterEach(() => kept[Symbol.asyncDispose]());

const at = (day: number) => clock.set(START + day * DAY);

/** A rotation that ends at once. Those that failed have left nothing, unless said otherwise. */
async function rotation(
  policy: string,
  {
    status = 'done',
    slot,
    published = false,
    left = false,
  }: {
    readonly status?: 'done' | 'failed';
    readonly slot?: Date;
    readonly published?: boolean;
    readonly left?: boolean;
  } = {},
): Promise<string> {
  const { ledger } = kept;
  const id = randomUUID();
  await ledger.request({ id, policy, reason: 'manual', ...WHO, ...(slot && { slot }) });
  const row = { id, rolledBackBy: null };
  await ledger.record(row, [
    { step: 'check', kind: 'started' },
    { step: 'check', kind: 'done' },
  ]);
  if (published) await ledger.record(row, [], { published: true });
  await ledger.finish(row, status);
  if (!left) await ledger.retention.discarded(id);
  return id;
}

/** Steps of pruning until nothing is left. Returns how many that took. */
async function prune(): Promise<number> {
  let from: Position | undefined;
  for (let steps = 1; ; steps += 1) {
    const { position, isDone } = await kept.ledger.retention.prune(KEEP, from);
    if (isDone) return steps;
    if (steps > 50) throw new Error('it never ends');
    from = position;
  }
}

async function ids(): Promise<string[]> {
  const { rows } = await kept.pool.query('SELECT id FROM keyturn.rotation ORDER BY number');
  return rows.map(({ id }) => id);
}

async function count(table: string): Promise<number> {
  const { rows } = await kept.pool.query(`SELECT count(*)::int AS count FROM keyturn.${table}`);
  return rows[0].count;
}

test('what ended 400 days ago goes with its lines, and what is younger stays', async () => {
  const old = await rotation('p');
  at(10);
  const young = await rotation('p');
  at(401);
  await prune();
  expect(await ids()).toEqual([young]);
  expect(await count('event')).toBe(2);
  expect(await kept.ledger.find(old)).toBeUndefined();
});

test('an open rotation stays however old it is, and of its lines those that say what began', async () => {
  const id = randomUUID();
  await kept.ledger.request({ id, policy: 'p', reason: 'manual', ...WHO });
  const row = { id, rolledBackBy: null };
  await kept.ledger.record(row, [{ step: 'set', kind: 'started' }]);
  for (let index = 0; index < 3; index += 1) await kept.ledger.failed(row, 'set', fact('interrupted', {}));
  at(500);
  await kept.ledger.failed(row, 'set', fact('interrupted', {}));
  const before = await kept.ledger.find(id);
  await prune();
  expect(await kept.ledger.find(id)).toEqual(before);
  expect((await kept.ledger.events([id])).map(({ kind }) => kind)).toEqual(['started', 'failed']);
});

test('nothing changes for whoever asks what is next, what was last, and what was published', async () => {
  const ask = async (policy: string) => {
    const { ledger } = kept;
    const { futureAt: _, ...timing } = await ledger.timing(policy);
    const summary = (await ledger.summary([policy])).get(policy);
    return {
      timing,
      summary,
      published: await ledger.lastPublished(policy),
      open: await ledger.open(policy),
    };
  };
  // Each has its last slot, its last request, its last publication and its newest in other rows.
  await rotation('a', { slot: new Date(START) });
  await rotation('a');
  await rotation('a', { status: 'failed', published: true });
  for (let index = 0; index < 5; index += 1) await rotation('a', { status: 'failed' });
  await rotation('b', { status: 'failed' });
  await rotation('c', { slot: new Date(START - DAY) });
  await rotation('c', { slot: new Date(START) });
  const policies = ['a', 'b', 'c'];
  await kept.ledger.retention.see(policies);
  await kept.ledger.see(policies);
  at(450);
  await kept.ledger.retention.see(policies);
  const before = await Promise.all(policies.map(ask));
  await prune();
  // A failure of 400 days ago holds nothing off any more.
  const forgetting = before.map(({ timing, ...rest }) => ({
    ...rest,
    timing: { ...timing, lastFailedAt: expect.toSatisfy(() => true) },
  }));
  expect(await Promise.all(policies.map(ask))).toEqual(forgetting);
  expect(await ids()).toHaveLength(4 + 1 + 1);
});

test('a rotation that may have left a version in a store stays until that is discarded', async () => {
  const left = await rotation('p', { status: 'failed', left: true });
  await rotation('p');
  await kept.ledger.retention.see(['p']);
  at(450);
  await kept.ledger.retention.see(['p']);
  await prune();
  expect(await kept.ledger.find(left)).toBeDefined();
  expect((await kept.ledger.retention.leftStaged(9)).map(({ id }) => id)).toEqual([left]);
  await kept.ledger.retention.discarded(left);
  await prune();
  expect(await kept.ledger.find(left)).toBeUndefined();
});

test('a rotation still names the one that it replaced when that one is gone', async () => {
  const id = randomUUID();
  await kept.ledger.request({ id, policy: 'p', reason: 'manual', ...WHO });
  const replacement = randomUUID();
  await kept.ledger.replace({ id, rolledBackBy: null }, replacement);
  await kept.ledger.retention.discarded(id);
  await kept.ledger.finish({ id: replacement, rolledBackBy: null }, 'done');
  at(450);
  await kept.ledger.retention.see(['p']);
  await prune();
  expect(await ids()).toEqual([replacement]);
  expect(await kept.ledger.find(replacement)).toMatchObject({ replaces: id });
});

test('steps are bounded, and rotations that stay do not keep others from going', async () => {
  await kept.pool.query(
    `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, status, finished_at)
     SELECT gen_random_uuid(), 'p' || number % 1500, 'manual', 'seed', $1::timestamptz + number * interval '1 ms', 'done', $1::timestamptz + number * interval '1 ms'
       FROM generate_series(1, 4000) AS number`,
    [new Date(START)],
  );
  await kept.pool.query(
    `INSERT INTO keyturn.event (rotation, at, step, kind)
     SELECT id, requested_at, 'check', 'failed' FROM keyturn.rotation CROSS JOIN generate_series(1, 6)`,
  );
  at(450);
  await kept.ledger.retention.see(Array.from({ length: 1500 }, (_, index) => `p${index}`));
  const { position } = await kept.ledger.retention.prune(KEEP);
  expect(position).toBeDefined();
  expect(await count('rotation')).toBeGreaterThanOrEqual(3000);
  expect(await prune()).toBeGreaterThan(3);
  expect(await count('rotation')).toBe(1500);
  expect(await count('event')).toBe(1500 * 6);
});

test('old actions go, and what is known of roles stays: their level, and who made them', async () => {
  const { ledger } = kept;
  const { provisions } = ledger;
  const done = (
    kind: 'create' | 'repair' | 'drop',
    policy: string,
    roles: Partial<Record<'made' | 'dropped', string[]>>,
  ) =>
    provisions.record({
      ...{ policy, kind, connection: 'db', logins: ['a', 'b'], owner: null, access: 'read', schemas: [] },
      ...{ made: [], dropped: [], deactivated: [], ...WHO, ...roles },
    });
  await ledger.pause('p', WHO);
  await done('create', 'p', { made: ['a', 'b'] });
  await done('repair', 'p', {});
  await done('repair', 'p', { made: ['b'] });
  await done('create', 'gone', { made: ['x'] });
  await done('drop', 'gone', { dropped: ['x'] });
  await ledger.retention.seeOthers();
  at(450);
  await ledger.retention.see(['p']);
  const before = [(await provisions.latest()).get('p'), await provisions.made('db')];
  await prune();
  expect([(await provisions.latest()).get('p'), await provisions.made('db')]).toEqual(before);
  expect(before[1]).toEqual(['a', 'b']);
  expect(await count('action')).toBe(0);
  // The making of a, and the latest of p. Of what was dropped nothing is left.
  expect(await count('provision')).toBe(2);
});

test('a policy that was removed long ago is forgotten, and one that is configured never is', async () => {
  const { ledger } = kept;
  for (const policy of ['stays', 'gone']) await rotation(policy);
  await ledger.see(['stays', 'gone']);
  await ledger.probes.keep(
    new Map([
      ['stays', 900_000],
      ['gone', 900_000],
    ]),
  );
  await ledger.retention.see(['stays', 'gone']);
  at(399);
  await ledger.retention.see(['stays']);
  await prune();
  expect(await count('policy')).toBe(2);
  at(401);
  await prune();
  for (const table of ['policy', 'probe', 'configured', 'rotation']) expect(await count(table)).toBe(1);
  expect((await ledger.summary(['stays'])).size).toBe(1);
});

test('a policy that only commands know is kept for as long as something happens to it', async () => {
  const { ledger } = kept;
  const first = await rotation('by-cron');
  await ledger.pause('by-cron', WHO);
  await ledger.retention.seeOthers();
  at(300);
  const last = await rotation('by-cron');
  at(650);
  await prune();
  expect(await ids()).toEqual([last]);
  expect(await ledger.timing('by-cron')).toMatchObject({ pausedBy: 'test' });
  expect(first).not.toBe(last);
  at(701);
  await prune();
  expect([await count('rotation'), await count('policy')]).toEqual([0, 0]);
});
