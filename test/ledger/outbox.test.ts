import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { MESSAGES } from '../../src/messages/messages.ts';
import { tell } from '../../src/messages/tell.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const WHO = { requestedBy: 'test' };
const AWAY = fact('sink-answered', { status: 503 });
const DAY = 24 * 3_600_000;

const clock = setClock(START);
let kept: Awaited<ReturnType<typeof openTestLedger>>;
beforeAll(async () => {
  kept = await openTestLedger(inject('postgres'), clock);
});
afterAll(() => kept[Symbol.asyncDispose]());
beforeEach(async () => {
  clock.set(START);
  const tables = ['rotation', 'policy_event', 'sink', 'probe', 'provision', 'policy', 'configured'];
  await kept.pool.query(`TRUNCATE ${tables.map((table) => `keyturn.${table}`).join(', ')} CASCADE`);
});

const later = (ms: number) => clock.set(clock.now() + ms);
const row = (id: string) => ({ id, rolledBackBy: null });

async function open(policy = 'app'): Promise<string> {
  const id = randomUUID();
  await kept.ledger.request({ id, policy, reason: 'manual', ...WHO });
  return id;
}

/** Writes what a run without faults writes, in the same statements. */
async function rotate(policy = 'app'): Promise<string> {
  const id = await open(policy);
  const { ledger } = kept;
  const logins = { incoming: 'app_b', outgoing: 'app_a' };
  await ledger.record(row(id), [{ step: 'check', kind: 'started' }]);
  await ledger.record(row(id), [{ step: 'publish', kind: 'done' }], { logins, published: true });
  const last = [
    { step: 'drain', kind: 'done' },
    { step: 'revoke', kind: 'done' },
  ] as const;
  await ledger.record(row(id), last, { end: { status: 'done' } });
  return id;
}

/** The types of all events, oldest first. */
async function types(policy?: string): Promise<string[]> {
  const events = await kept.ledger.outbox.latest({ limit: 100, ...(policy === undefined ? {} : { policy }) });
  return events.map(({ type }) => type).reverse();
}

const ROTATED = ['rotation.started', 'rotation.published', 'rotation.drained', 'rotation.completed'];

describe('what happens is told', () => {
  test('a rotation tells that it started, is published, has drained and is completed, in this order', async () => {
    const id = await rotate();
    expect(await types()).toEqual(ROTATED);
    const events = await kept.ledger.outbox.latest({ limit: 9 });
    for (const { rotation, policy, fact } of events) {
      expect({ rotation, policy }).toEqual({ rotation: id, policy: 'app' });
      expect(fact.params).toMatchObject({ rotation: id });
      expect(Object.keys(fact.params)).toEqual(
        expect.arrayContaining(Object.keys(MESSAGES[fact.code].example)),
      );
      expect(tell(fact)).not.toMatch(/undefined|null|\{/);
    }
    expect(events[0]?.fact).toMatchObject({ params: { incoming: 'app_b', outgoing: 'app_a' } });
    expect(events[2]?.fact).toMatchObject({ params: { login: 'app_b', isBack: false } });
  });

  test('a rotation of which everything is recorded at its end tells it in the same order', async () => {
    const id = await open();
    const logins = { incoming: 'app_b', outgoing: 'app_a' };
    const steps = ['check', 'stage', 'set', 'verify', 'publish', 'drain', 'revoke'] as const;
    const lines = steps.flatMap((step) => (['started', 'done'] as const).map((kind) => ({ step, kind })));
    await kept.ledger.record(row(id), lines.slice(0, 1));
    const end = { logins, published: true, end: { status: 'done' } } as const;
    await kept.ledger.record(row(id), lines, end);
    expect(await types()).toEqual(ROTATED);
  });

  test('a rotation that is rolled back tells the login of before, and that it failed', async () => {
    const id = await open();
    const { ledger } = kept;
    const logins = { incoming: 'app_b', outgoing: 'app_a' };
    await ledger.record(row(id), [{ step: 'publish', kind: 'done' }], { logins, published: true });
    await ledger.rollBack(id, { to: randomUUID(), requestedBy: 'dba' });
    const back = { id, rolledBackBy: 'dba' };
    await ledger.record(back, [{ step: 'publish', kind: 'done' }], { published: true });
    await ledger.finish(back, 'failed', fact('rotation-rolled-back', { by: 'dba' }));
    expect(await types()).toEqual(['rotation.published', 'rotation.published', 'rotation.failed']);
    const [failed, published] = await ledger.outbox.latest({ limit: 2 });
    expect(published?.fact).toMatchObject({ params: { login: 'app_a', isBack: true } });
    expect(failed?.fact).toMatchObject({
      code: 'rotation-ended',
      params: { cause: { code: 'rotation-rolled-back' } },
    });
  });

  test('an emergency drains nothing, so it does not say so (G6)', async () => {
    const id = await open();
    await kept.ledger.escalate(id, WHO);
    await kept.ledger.record(row(id), [{ step: 'drain', kind: 'done' }]);
    expect(await types()).toEqual([]);
  });

  test('a rotation that keeps failing is told once, and then that the policy recovered', async () => {
    const id = await open();
    const { ledger } = kept;
    const fail = () => ledger.failed(row(id), 'check', AWAY);
    for (let time = 0; time < 4; time += 1) await fail();
    expect(await types()).toEqual([]);
    for (let time = 0; time < 4; time += 1) await fail();
    await ledger.record(row(id), [{ step: 'check', kind: 'done' }]);
    for (let time = 0; time < 6; time += 1) await fail();
    expect(await types()).toEqual(['rotation.failed']);
    await ledger.finish(row(id), 'done');
    expect(await types()).toEqual(['rotation.failed', 'rotation.completed', 'rotation.recovered']);
    await rotate();
    expect((await types()).slice(3)).toEqual(ROTATED);
  });

  test('the first rotation that is done after one that failed recovers; of another policy it does not', async () => {
    const { ledger } = kept;
    await ledger.finish(row(await open()), 'failed', AWAY);
    await rotate('other');
    await rotate();
    await rotate();
    expect(await types('other')).toEqual(ROTATED);
    expect(await types('app')).toEqual(['rotation.failed', ...ROTATED, 'rotation.recovered', ...ROTATED]);
  });

  test('a rotation that is replaced at once has failed', async () => {
    const id = await open();
    await kept.ledger.replace(row(id), randomUUID());
    expect(await types()).toEqual(['rotation.failed']);
  });

  test('a slot is overdue once, and not while a rotation is open', async () => {
    const { outbox } = kept.ledger;
    const slot = new Date(START);
    await outbox.overdue('app', slot);
    await outbox.overdue('app', slot);
    expect(await types()).toEqual(['rotation.overdue']);
    await outbox.overdue('app', new Date(START + DAY));
    await open();
    await outbox.overdue('app', new Date(START + 2 * DAY));
    expect(await types()).toEqual(['rotation.overdue', 'rotation.overdue']);
  });

  test('a credential that breaks and works again is told once each (G7)', async () => {
    const { probes } = kept.ledger;
    await probes.keep(new Map([['app', 60_000]]));
    await probes.record('app');
    for (let time = 0; time < 4; time += 1) await probes.record('app', AWAY);
    await probes.record('app');
    await probes.record('app');
    expect(await types()).toEqual(['credential.broken', 'credential.restored']);
    const [, broken] = await kept.ledger.outbox.latest({ limit: 2 });
    expect(broken?.fact).toMatchObject({ code: 'credential-broken', params: { cause: AWAY } });
  });

  test('logins that were made and dropped are told; owners and repairs of nothing are not', async () => {
    const { provisions } = kept.ledger;
    const whose = { policy: 'app', connection: 'db', logins: ['app_a', 'app_b'], ...WHO } as const;
    const rest = { owner: 'owner', access: null, schemas: [], deactivated: [], dropped: [], made: [] };
    await provisions.record({ ...whose, ...rest, kind: 'create', made: ['app_a', 'app_b', 'owner'] });
    await provisions.record({ ...whose, ...rest, kind: 'repair' });
    await provisions.record({ ...whose, ...rest, kind: 'drop', dropped: ['app_a'], deactivated: ['app_b'] });
    expect(await types()).toEqual(['credential.created', 'credential.deleted']);
    const logins = { logins: ['app_a', 'app_b'] };
    for (const { fact } of await kept.ledger.outbox.latest({ limit: 2 })) expect(fact.params).toEqual(logins);
  });

  test('what is not committed is not told', async () => {
    const client = await kept.pool.connect();
    const id = await open();
    await client.query('BEGIN');
    await client.query(`UPDATE keyturn.rotation SET published_at = now() WHERE id = $1`, [id]);
    await client.query('ROLLBACK');
    client.release();
    expect(await types()).toEqual([]);
  });
});

describe('what is told is delivered', () => {
  const LEASE = { forMs: 15_000, limit: 4 };
  const outbox = () => kept.ledger.outbox;

  test('a sink gets what it asks for, and nothing that happened before it was there', async () => {
    await rotate();
    await outbox().keepSinks([
      { name: 'all' },
      { name: 'failures', types: ['rotation.failed'] },
      { name: 'other', policies: ['other', 'third'] },
    ]);
    expect(await outbox().due(['all', 'failures', 'other'])).toEqual(new Map());
    await rotate();
    await kept.ledger.finish(row(await open()), 'failed', AWAY);
    const deliveries = await outbox().latest({ limit: 20 });
    const to = (sink: string) =>
      deliveries.filter(({ deliveries }) => deliveries.some((each) => each.sink === sink)).length;
    expect([to('all'), to('failures'), to('other')]).toEqual([5, 1, 0]);
    expect([...(await outbox().due(['all', 'failures', 'other'])).keys()].sort()).toEqual([
      'all',
      'failures',
    ]);
  });

  test('of each policy the next event comes after the one before was taken, whoever asks', async () => {
    await outbox().keepSinks([{ name: 'ops' }]);
    await rotate('one');
    await rotate('two');
    const taken: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const [leased, others] = await Promise.all([
        outbox().lease('ops', LEASE),
        outbox().lease('ops', LEASE),
      ]);
      const both = [...leased, ...others];
      expect(both.map(({ event }) => event.policy).sort()).toEqual(['one', 'two']);
      for (const each of both) {
        taken.push(`${each.event.policy} ${each.event.type}`);
        await outbox().delivered('ops', each);
      }
    }
    for (const policy of ['one', 'two']) {
      expect(taken.filter((each) => each.startsWith(policy))).toEqual(
        ROTATED.map((type) => `${policy} ${type}`),
      );
    }
    expect(await outbox().lease('ops', LEASE)).toEqual([]);
  });

  test('an event whose worker died is due again when its lease is over', async () => {
    await outbox().keepSinks([{ name: 'ops' }]);
    await rotate();
    const [leased] = await outbox().lease('ops', LEASE);
    expect(await outbox().lease('ops', LEASE)).toEqual([]);
    expect((await outbox().due(['ops'])).get('ops')).toBe(clock.now() + LEASE.forMs);
    later(LEASE.forMs);
    const [again] = await outbox().lease('ops', LEASE);
    expect(again?.event).toEqual(leased?.event);
    expect(again?.attempts).toBe(2);
  });

  test('a sink that is away rests; another one does not', async () => {
    await outbox().keepSinks([{ name: 'ops' }, { name: 'chat' }]);
    await rotate('one');
    await rotate('two');
    const [first] = await outbox().lease('ops', { ...LEASE, limit: 1 });
    if (!first) throw new Error('nothing is due');
    await outbox().failed('ops', first, { fact: AWAY, retryIn: 60_000, isSinkAway: true, isDead: false });
    expect(await outbox().lease('ops', LEASE)).toEqual([]);
    expect(await outbox().lease('chat', LEASE)).toHaveLength(2);
    expect((await outbox().due(['ops'])).get('ops')).toBe(clock.now() + 60_000);
    later(60_000);
    const again = await outbox().lease('ops', LEASE);
    expect(again.map(({ failures }) => failures)).toEqual([1, 1]);
    for (const each of again) await outbox().delivered('ops', each);
    expect((await outbox().lease('ops', LEASE)).map(({ failures }) => failures)).toEqual([0, 0]);
  });

  test('what failed for three days is a dead letter, with all that waited as long, until somebody sends it again', async () => {
    await outbox().keepSinks([{ name: 'ops' }]);
    await rotate();
    const fail = async () => {
      const [leased] = await outbox().lease('ops', LEASE);
      if (!leased) throw new Error('nothing is due');
      return outbox().failed('ops', leased, { fact: AWAY, retryIn: 1_000, isSinkAway: true, isDead: false });
    };
    expect(await fail()).toBe(false);
    later(3 * DAY + 1_000);
    await kept.ledger.finish(row(await open()), 'failed', AWAY);
    expect(await fail()).toBe(true);
    const dead = await outbox().latest({ limit: 9, isDead: true });
    expect(dead.map(({ type }) => type).reverse()).toEqual(ROTATED);
    later(2_000);
    const [next] = await outbox().lease('ops', LEASE);
    expect(next?.event.type).toBe('rotation.failed');
    if (next) await outbox().delivered('ops', next);

    expect(await outbox().redeliver({ dead: true }, ['ops'])).toBe(4);
    expect(await outbox().latest({ limit: 9, isDead: true })).toEqual([]);
    const [again] = await outbox().lease('ops', LEASE);
    expect(again).toMatchObject({ event: { type: 'rotation.started' }, attempts: 1 });
  });

  test('an event is sent again by its id, to a sink that came later too', async () => {
    await rotate();
    await outbox().keepSinks([{ name: 'late' }, { name: 'failures', types: ['rotation.failed'] }]);
    const [completed] = await outbox().latest({ limit: 1 });
    expect(await outbox().redeliver({ ids: [completed?.id ?? ''] }, ['late', 'failures'])).toBe(1);
    const [leased] = await outbox().lease('late', LEASE);
    expect(leased?.event.type).toBe('rotation.completed');
  });

  test('what a wrong clock put off is due all the same', async () => {
    await outbox().keepSinks([{ name: 'ops' }]);
    await rotate();
    later(300 * DAY);
    await outbox().lease('ops', LEASE);
    later(-300 * DAY);
    expect(await outbox().lease('ops', LEASE)).toHaveLength(1);
  });

  test('a sink that no worker has any more is forgotten after a day, with what waits for it', async () => {
    await outbox().keepSinks([{ name: 'gone' }, { name: 'ops' }]);
    await rotate();
    later(DAY + 1_000);
    await outbox().keepSinks([{ name: 'ops' }]);
    await outbox().forgetSinks();
    await rotate();
    const events = await outbox().latest({ limit: 9 });
    for (const { deliveries } of events) expect(deliveries.map(({ sink }) => sink)).toEqual(['ops']);
  });

  test('old events go, but for those that are still to be delivered', async () => {
    await rotate('early');
    await outbox().keepSinks([{ name: 'ops' }]);
    await rotate();
    later(10 * DAY);
    await kept.ledger.retention.prune(7 * DAY);
    expect([await types('early'), await types('app')]).toEqual([[], ROTATED]);
    for (let turn = 0; turn < 4; turn += 1) {
      for (const each of await outbox().lease('ops', LEASE)) await outbox().delivered('ops', each);
    }
    await kept.ledger.retention.prune(7 * DAY);
    expect(await types()).toEqual([]);
  });
});
