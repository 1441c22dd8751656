import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { sweepJob } from '../../jobs/sweep.ts';
import type { Policy } from '../../src/config/policy.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { nextDue } from '../../src/rotation/due-rotation.ts';
import { everyDays, everyInterval, HOUR } from '../schedule/schedules.ts';
import { openTestLedger, type SetClock, setClock } from '../support/ledger.ts';
import { policyWith } from '../support/policy.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';

const MINUTE = 60_000;

/** Counts what this process sends to PostgreSQL and Redis while `act` runs. */
async function requestsOf(act: () => Promise<void>): Promise<number> {
  let count = 0;
  const { query } = pg.Client.prototype;
  const { sendCommand } = Redis.prototype;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    count += 1;
    return Reflect.apply(query, this, args);
  } as typeof query;
  Redis.prototype.sendCommand = function (this: Redis, ...args: unknown[]) {
    count += 1;
    return Reflect.apply(sendCommand, this, args);
  } as typeof sendCommand;
  try {
    await act();
  } finally {
    pg.Client.prototype.query = query;
    Redis.prototype.sendCommand = sendCommand;
  }
  return count;
}

describe.each(QUEUE_BACKENDS)('A fleet, with the queue on %s,', (_name, open, available) => {
  const it = test.skipIf(!available);
  let place: QueuePlace;
  let kept: Awaited<ReturnType<typeof openTestLedger>>;
  let clock: SetClock;
  let bull: Queue;
  const queues: RotationQueue[] = [];

  beforeEach(async () => {
    if (!available) return;
    place = await open();
    clock = setClock(Date.now());
    kept = await openTestLedger(inject('postgres'), clock);
    bull = openBull(place.backend);
  });
  afterEach(async () => {
    if (!available) return;
    for (const queue of queues.splice(0)) await queue.close();
    await bull.close();
    await kept[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** A worker, of which only the sweep runs, with a configuration of its own. */
  function worker(...configured: Policy[]) {
    let policies: ReadonlyMap<string, Policy> = new Map();
    const configure = (...given: Policy[]) => {
      policies = new Map(given.map((policy) => [policy.name, policy]));
    };
    configure(...configured);
    const queue = openQueue(place.backend, {
      nextSlot: async (name, after) => {
        const policy = policies.get(name);
        return policy && nextDue(policy, await kept.ledger.timing(name), after);
      },
      onFault: () => {},
    });
    queues.push(queue);
    const sweep = sweepJob({
      ledger: kept.ledger,
      queue,
      log: pino({ level: 'silent' }),
      now: clock.now,
      policies: () => policies,
      isUnpublished: async () => false,
    });
    return { sweep, configure, queue };
  }

  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => policyWith(everyDays(30, '02:30'), { name: `p-${index}` }));
  const openOf = async (name: string) => (await kept.ledger.open(name)).map(({ slot }) => slot?.getTime());
  const slotKeys = async () =>
    (await bull.getJobSchedulers())
      .map(({ key }) => key)
      .filter((key) => key.startsWith('slot-'))
      .sort();
  const slotInstants = async () =>
    Object.fromEntries((await bull.getJobSchedulers()).map(({ key, next }) => [key, next]));
  const jobs = async () => (await bull.getDelayed()).map(({ id, timestamp }) => `${id} ${timestamp}`).sort();

  it('sends as many requests for 200 idle policies as for 10', async () => {
    const counts: number[] = [];
    for (const count of [10, 200]) {
      const { sweep } = worker(...many(count));
      await sweep();
      await sweep();
      expect(await slotKeys()).toHaveLength(count);
      counts.push(await requestsOf(sweep));
    }
    expect(counts[0]).toBeGreaterThan(2);
    expect(counts[0]).toBeLessThan(10);
    expect(counts[1]).toBe(counts[0]);
  });

  it('starts again without asking about each policy, and writes no scheduler that is right', async () => {
    await worker(...many(100)).sweep();
    const made = await jobs();
    const { sweep, queue } = worker(...many(100));
    await queue.reach();
    expect(await requestsOf(sweep)).toBeLessThan(15);
    expect(await jobs()).toEqual(made);
  });

  it('is ready before each of 1,500 policies has a scheduler, though not before one whose slot comes soon', async () => {
    const soon = policyWith(everyInterval(2 * MINUTE), { name: 'soon' });
    const { sweep } = worker(...many(1_500), soon);
    await sweep();
    expect(await bull.getJobSchedulersCount()).toBeLessThan(1_501);
    expect(await bull.getJobScheduler('slot-soon')).toBeDefined();
    // Another sweep meanwhile makes none twice.
    await sweep();
    await expect.poll(async () => (await slotKeys()).length, { timeout: 60_000 }).toBe(1_501);
    const made = await jobs();
    await sweep();
    expect(await jobs()).toEqual(made);
  });

  it('takes over an edited schedule, and forgets a policy that was removed while no worker ran', async () => {
    const [daily, hourly] = [everyDays(1, '02:30'), everyInterval(HOUR)].map((schedule) =>
      policyWith(schedule),
    );
    const { sweep, configure } = worker(daily as Policy, ...many(2));
    await sweep();
    const before = await slotInstants();
    configure(hourly as Policy, ...many(2));
    await sweep();
    const after = await slotInstants();
    expect(after['slot-p']).toBe(nextDue(hourly as Policy, await kept.ledger.timing('p'), clock.now()));
    expect(after['slot-p']).not.toBe(before['slot-p']);
    expect({ ...after, 'slot-p': 0 }).toEqual({ ...before, 'slot-p': 0 });
    await worker(...many(2)).sweep();
    expect(await slotKeys()).toEqual(['slot-p-0', 'slot-p-1']);
  });

  it('with workers of two configurations, loses no slot of either and rewrites nothing in each sweep', async () => {
    const old = worker(
      policyWith(everyDays(30, '02:30')),
      policyWith(everyDays(9, '02:30'), { name: 'old' }),
    );
    const edited = worker(policyWith(everyInterval(HOUR)), ...many(2));
    for (const { sweep } of [old, edited, old, edited, old]) await sweep();
    expect(await slotKeys()).toEqual(['slot-old', 'slot-p', 'slot-p-0', 'slot-p-1']);
    const made = await jobs();
    for (const { sweep } of [old, edited, edited, old, old, edited]) await sweep();
    expect(await jobs()).toEqual(made);

    const slot = nextDue(policyWith(everyInterval(HOUR)), await kept.ledger.timing('p'), clock.now()) ?? 0;
    clock.set(slot + 1);
    await old.sweep();
    expect(await openOf('p')).toEqual([]);
    await edited.sweep();
    expect(await openOf('p')).toEqual([slot]);
  });

  it('gives back a scheduler that was lost, whichever it is', async () => {
    const { sweep, queue } = worker(...many(60));
    await queue.keepSweeping();
    await sweep();
    const before = await slotInstants();
    await bull.removeJobScheduler('slot-p-17');
    await sweep();
    expect(await slotInstants()).toEqual(before);
    await place.flush();
    await sweep();
    expect(await slotKeys()).toHaveLength(60);
  });

  it.each([
    ['infinity', 'is never due', "next_due_at = 'infinity'"],
    [
      'a year ahead',
      'a clock a year ahead wrote',
      "next_due_at = next_due_at + interval '1 year', slot = slot + interval '1 year'",
    ],
    ['always due', 'is due since ever', "next_due_at = '-infinity'"],
    ['of no slot', 'names no instant', "next_due_at = '-infinity', slot = 'infinity'"],
  ])('heals an entry of the index that is %s', async (_, _why, corrupt) => {
    const policy = policyWith(everyInterval(HOUR));
    const { sweep } = worker(policy);
    await sweep();
    const healthy = await kept.ledger.slots();
    await kept.pool.query(`UPDATE keyturn.due SET ${corrupt}`);
    await sweep();
    expect(await kept.ledger.slots()).toEqual(healthy);
    expect(await kept.ledger.due()).toEqual([]);
    clock.set(Number(healthy[0]?.slot) + 1);
    await sweep();
    expect(await openOf('p')).toEqual([Number(healthy[0]?.slot)]);
  });

  it('heals an entry that is wrong and looks right within six hours, and one that is gone in a sweep', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    const { sweep } = worker(policy);
    await sweep();
    const [healthy] = await kept.ledger.slots();
    await kept.pool.query('DELETE FROM keyturn.due');
    await sweep();
    expect(await kept.ledger.slots()).toEqual([healthy]);
    await kept.pool.query("UPDATE keyturn.due SET slot = slot + interval '1 hour'");
    clock.set(clock.now() + 6 * HOUR);
    // A slot may have come, and its rotation moves the next one.
    await sweep();
    await sweep();
    const [healed] = await kept.ledger.slots();
    expect(healed?.slot.getTime()).toBe(nextDue(policy, await kept.ledger.timing('p'), clock.now()));
    await expect(kept.pool.query('UPDATE keyturn.due SET next_due_at = NULL')).rejects.toThrow(/null/);
  });

  it('ignores entries of policies that it does not know, and removes them when nobody can (attack on the index)', async () => {
    const { sweep } = worker(policyWith(everyDays(1, '02:30')));
    await sweep();
    await kept.pool.query(
      `INSERT INTO keyturn.due (policy, schedule, next_due_at) VALUES
         ('stranger', 'x', now() - interval '2 hours'), ('constructor', 'x', '-infinity'),
         ('other-worker', 'x', now() - interval '1 minute'), ('p', 'another schedule', now() - interval '2 hours')`,
    );
    await sweep();
    const { rows } = await kept.pool.query('SELECT policy FROM keyturn.due ORDER BY policy');
    expect(rows.map(({ policy }) => policy)).toEqual(['other-worker', 'p']);
    expect(await kept.ledger.open()).toEqual([]);
  });
});

describe('The index of what is due', () => {
  let kept: Awaited<ReturnType<typeof openTestLedger>>;
  beforeEach(async () => {
    kept = await openTestLedger(inject('postgres'), { now: Date.now });
    await kept.ledger.see(['p']);
    await kept.ledger.keepDue(new Map([['p', 'schedule']]));
    await rest();
  });
  afterEach(() => kept[Symbol.asyncDispose]());

  async function rest(): Promise<void> {
    const due = await kept.ledger.due();
    const dueAt = new Date(Date.now() + HOUR);
    await kept.ledger.settleDue(due.map((entry) => ({ ...entry, dueAt, slot: dueAt })));
    expect(await kept.ledger.due()).toEqual([]);
  }
  const isDue = async () => (await kept.ledger.due()).map(({ policy }) => policy).includes('p');

  test('has a policy due again when what its slots are counted from changes, whoever changes it', async () => {
    const { ledger, pool } = kept;
    const id = randomUUID();
    await ledger.request({ id, policy: 'p', reason: 'manual', requestedBy: 'test' });
    expect(await isDue()).toBe(true);
    await rest();
    // What does not move its slots leaves it alone.
    await ledger.record({ id, rolledBackBy: null }, [{ step: 'check', kind: 'started' }], {
      published: true,
    });
    expect(await isDue()).toBe(false);
    await ledger.finish({ id, rolledBackBy: null }, 'failed');
    expect(await isDue()).toBe(true);
    await rest();
    for (const change of [
      () => ledger.pause('p', { requestedBy: 'test' }),
      () => ledger.resume('p', { requestedBy: 'test' }),
    ]) {
      await change();
      expect(await isDue()).toBe(true);
      await rest();
    }
    // As a worker of an earlier release does, or somebody by hand.
    for (const sql of [
      `UPDATE keyturn.rotation SET finished_at = now() + interval '1 year' WHERE id = '${id}'`,
      "UPDATE keyturn.policy SET first_seen_at = now() + interval '1 year'",
      `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot) VALUES ('${randomUUID()}', 'p', 'schedule', 'x', now(), now())`,
      "UPDATE keyturn.rotation SET policy = 'q' WHERE status = 'open'",
    ]) {
      await pool.query(sql);
      expect(await isDue(), sql).toBe(true);
      await rest();
    }
  });

  test('keeps a change that comes while somebody looks', async () => {
    const { ledger } = kept;
    await ledger.pause('p', { requestedBy: 'test' });
    const due = await ledger.due();
    await ledger.resume('p', { requestedBy: 'test' });
    const dueAt = new Date(Date.now() + HOUR);
    await ledger.settleDue(due.map((entry) => ({ ...entry, dueAt, slot: null })));
    expect(await isDue()).toBe(true);
    await ledger.forgetDue(due);
    expect(await isDue()).toBe(true);
  });

  test('is settled and added to by many at once', async () => {
    const { ledger } = kept;
    const names = Array.from({ length: 300 }, (_, index) => `p-${index}`);
    const turned = names.toReversed();
    await Promise.all(
      [names, turned, names, turned].map((some) => ledger.keepDue(new Map(some.map((name) => [name, 's'])))),
    );
    const due = await ledger.due();
    expect(due).toHaveLength(300);
    const dueAt = new Date(Date.now() + MINUTE);
    const settled = due.map((entry) => ({ ...entry, dueAt, slot: null }));
    await Promise.all([settled, settled.toReversed(), settled].map((some) => ledger.settleDue(some)));
    expect(await ledger.due()).toEqual([]);
  });
});
