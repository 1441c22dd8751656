import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { sweepJob } from '../../jobs/sweep.ts';
import type { Policy } from '../../src/config/policy.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { JobHandlers } from '../../src/queue/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { nextDue } from '../../src/rotation/due-rotation.ts';
import { everyDays, everyInterval, HOUR } from '../schedule/schedules.ts';
import { openTestLedger } from '../support/ledger.ts';
import { policyWith } from '../support/policy.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';

const idle: JobHandlers = {
  rotate: async () => {},
  slot: async () => {},
  sweep: async () => {},
  deliver: async () => {},
};

describe.each(QUEUE_BACKENDS)('The sweep, with the queue on %s,', (_name, open, available) => {
  const it = test.skipIf(!available);
  let place: QueuePlace;
  let kept: Awaited<ReturnType<typeof openTestLedger>>;
  let ledger: Ledger;
  let queue: RotationQueue;
  let bull: Queue;
  let policies: Policy[];
  let configured: { readonly of: readonly Policy[]; readonly byName: ReadonlyMap<string, Policy> };
  let unpublished: (policy: Policy) => Promise<boolean>;
  let sweep: () => Promise<void>;

  beforeEach(async () => {
    if (!available) return;
    place = await open();
    kept = await openTestLedger(inject('postgres'), { now: Date.now });
    ledger = kept.ledger;
    const log = pino({ level: 'silent' });
    policies = [];
    configured = { of: policies, byName: new Map() };
    unpublished = async () => false;
    queue = openQueue(place.backend, {
      nextSlot: async (name, after) => {
        const policy = policies.find((each) => each.name === name);
        return policy && nextDue(policy, await ledger.timing(name), after);
      },
      onFault: () => {},
    });
    bull = openBull(place.backend);
    sweep = sweepJob({
      ledger,
      queue,
      log,
      now: Date.now,
      policies: () => {
        if (configured.of !== policies) {
          configured = { of: policies, byName: new Map(policies.map((each) => [each.name, each])) };
        }
        return configured.byName;
      },
      isUnpublished: (policy) => unpublished(policy),
    });
  });
  afterEach(async () => {
    if (!available) return;
    await queue.close();
    await bull.close();
    await kept[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function schedulers(): Promise<Record<string, number>> {
    const found = await bull.getJobSchedulers();
    return Object.fromEntries(found.map(({ key, next }) => [key, Number(next)]));
  }
  async function expected(...names: string[]): Promise<Record<string, number>> {
    const entries = policies
      .filter(({ name }) => names.includes(name))
      .map(async (policy) => [
        `slot-${policy.name}`,
        Number(nextDue(policy, await ledger.timing(policy.name), Date.now())),
      ]);
    return Object.fromEntries(await Promise.all(entries));
  }

  it('gives each policy a scheduler at its slot, and touches none that is right', async () => {
    policies = [policyWith(everyDays(1, '02:30')), policyWith(everyInterval(HOUR), { name: 'q' })];
    await sweep();
    expect(await schedulers()).toEqual(await expected('p', 'q'));
    const made = (await bull.getDelayed()).map(({ id, timestamp }) => `${id} ${timestamp}`).sort();
    expect(made).toHaveLength(2);
    await sweep();
    expect((await bull.getDelayed()).map(({ id, timestamp }) => `${id} ${timestamp}`).sort()).toEqual(made);
  });

  it('follows a policy that is edited, paused, resumed, switched off, renamed or removed', async () => {
    policies = [policyWith(everyDays(1, '02:30'))];
    await sweep();
    policies = [policyWith(everyDays(1, '23:15', 'Asia/Kathmandu'))];
    await sweep();
    expect(await schedulers()).toEqual(await expected('p'));
    await ledger.pause('p', { requestedBy: 'test' });
    await sweep();
    expect(await schedulers()).toEqual({});
    await ledger.resume('p', { requestedBy: 'test' });
    await sweep();
    expect(await schedulers()).toEqual(await expected('p'));
    policies = policies.map((policy) => ({ ...policy, autoRotate: false }));
    await sweep();
    expect(await schedulers()).toEqual({});
    policies = [policyWith(everyDays(1, '02:30'), { name: 'renamed' })];
    await sweep();
    expect(await schedulers()).toEqual(await expected('renamed'));
    policies = [];
    await sweep();
    expect(await schedulers()).toEqual({});
    expect(await bull.getDelayed()).toEqual([]);
  });

  it('brings back what a flushed queue has lost: schedulers, the sweep itself, and open rotations', async () => {
    policies = [policyWith(everyDays(1, '02:30'))];
    await queue.keepSweeping();
    await sweep();
    const before = await schedulers();
    const id = randomUUID();
    await ledger.request({ id, policy: 'p', reason: 'manual', requestedBy: 'test' });
    await queue.enqueue({ id, policy: 'p' });
    await place.flush();
    expect(await schedulers()).toEqual({});
    await queue.keepSweeping();
    await sweep();
    expect(Object.keys(await schedulers()).sort()).toEqual(Object.keys(before).sort());
    const ran: unknown[] = [];
    const worker = await queue.work({ ...idle, rotate: async (job) => void ran.push(job.data.rotation) });
    await expect.poll(() => ran).toEqual([id]);
    await worker.close();
  });

  it('queues a rotation whose worker died between opening and queueing it, once', async () => {
    policies = [policyWith(everyDays(1, '02:30'))];
    const id = randomUUID();
    await ledger.request({ id, policy: 'p', reason: 'schedule', requestedBy: 'schedule', slot: new Date() });
    await Promise.all([sweep(), sweep()]);
    await sweep();
    const jobs = await bull.getJobs(['waiting', 'delayed', 'prioritized', 'active']);
    expect(jobs.filter(({ name }) => name === 'rotate').map((job) => job.data.rotation)).toEqual([id]);
  });

  it('opens one rotation for a slot, however many sweep at once', async () => {
    policies = [policyWith(everyDays(1, '02:30'))];
    unpublished = async () => true;
    await Promise.all(Array.from({ length: 10 }, sweep));
    expect(await ledger.latest({ policy: 'p', limit: 10 })).toHaveLength(1);
  });

  it('goes on with the others where one policy cannot be told', async () => {
    policies = [
      policyWith(everyDays(1, '02:30'), { name: 'bad' }),
      policyWith(everyDays(1, '02:30'), { name: 'good' }),
    ];
    unpublished = async ({ name }) => {
      if (name === 'bad') throw new Error('the store is away');
      return true;
    };
    await sweep();
    expect((await ledger.open()).map(({ policy }) => policy)).toEqual(['good']);
    expect(Object.keys(await schedulers()).sort()).toEqual(['slot-bad', 'slot-good']);
  });
});
