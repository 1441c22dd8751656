import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobHandlers } from '../../src/queue/job.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { QueueBackend } from '../../src/queue/queue-backend.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { openBull } from '../support/queue-backends.ts';

/** An empty place for a queue. Disposing of it empties it again. */
export interface EmptyPlace extends AsyncDisposable {
  readonly backend: QueueBackend;
}

const idle: JobHandlers = {
  rotate: async () => {},
  slot: async () => {},
  sweep: async () => {},
  deliver: async () => {},
};

/** What every backend of a queue must do. */
export function testQueue(open: () => Promise<EmptyPlace>, available: boolean): void {
  const it = test.skipIf(!available);
  let place: EmptyPlace;
  let queue: RotationQueue;
  let nextSlot: (policy: string, after: number) => Promise<number | undefined>;

  beforeEach(async () => {
    if (!available) return;
    place = await open();
    nextSlot = async () => undefined;
    queue = openQueue(place.backend, {
      nextSlot: (policy, after) => nextSlot(policy, after),
      onFault: () => {},
    });
  });
  afterEach(async () => {
    if (!available) return;
    await queue.close();
    await place[Symbol.asyncDispose]();
  });

  it('runs a rotation once, however often it was queued', async () => {
    const id = randomUUID();
    const ran: unknown[] = [];
    for (let time = 0; time < 3; time += 1) await queue.enqueue({ id, policy: 'p' });
    const last = randomUUID();
    await queue.enqueue({ id: last, policy: 'p' });
    const worker = await queue.work({ ...idle, rotate: async (job) => void ran.push(job.data.rotation) });
    await expect.poll(() => ran.includes(last)).toBe(true);
    await worker.close();
    expect(ran.sort()).toEqual([id, last].sort());
  });

  it('takes a rotation again once it has ended', async () => {
    const id = randomUUID();
    let runs = 0;
    const worker = await queue.work({
      ...idle,
      rotate: async () => {
        runs += 1;
      },
    });
    await queue.enqueue({ id, policy: 'p' });
    await expect.poll(() => runs).toBe(1);
    await expect
      .poll(async () => {
        await queue.enqueue({ id, policy: 'p' });
        return runs;
      })
      .toBeGreaterThan(1);
    await worker.close();
  });

  it('counts the workers that are up', async () => {
    expect(await queue.workers()).toBe(0);
    const worker = await queue.work(idle);
    await expect.poll(() => queue.workers()).toBe(1);
    await worker.close();
    await expect.poll(() => queue.workers()).toBe(0);
  });

  it('asks when a policy is due, runs its slot then, and asks again', async () => {
    const slots: unknown[] = [];
    nextSlot = async (policy, after) => (policy === 'p' ? after + 100 : undefined);
    const worker = await queue.work({ ...idle, slot: async (job) => void slots.push(job.data.policy) });
    await queue.reschedule('p');
    await queue.reschedule('never');
    await expect.poll(() => slots.length).toBeGreaterThanOrEqual(3);
    expect(new Set(slots)).toEqual(new Set(['p']));
    await queue.schedule(new Map());
    await worker.close();
  });

  it('has one scheduler and one job for a policy, however many make it at once', async () => {
    const slot = Date.now() + 3_600_000;
    nextSlot = async () => slot;
    const others = Array.from({ length: 4 }, () =>
      openQueue(place.backend, { nextSlot: async () => slot, onFault: () => {} }),
    );
    const due = new Map(Array.from({ length: 30 }, (_, index) => [`p${index}`, slot]));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([queue, ...others].map((each) => each.schedule(due)));
      await Promise.all([queue, ...others].map((each) => each.reschedule('p0')));
    }
    await Promise.all(others.map((each) => each.close()));
    const bull = openBull(place.backend);
    expect((await bull.getJobSchedulers()).map(({ next }) => next)).toEqual([...due].map(() => slot));
    expect((await bull.getDelayed()).length).toBe(due.size);
    await bull.close();
  });

  it('sweeps at once when first scheduled', async () => {
    let sweeps = 0;
    const worker = await queue.work({
      ...idle,
      sweep: async () => {
        sweeps += 1;
      },
    });
    await queue.keepSweeping();
    await queue.keepSweeping();
    await expect.poll(() => sweeps).toBe(1);
    await worker.close();
  });
}
