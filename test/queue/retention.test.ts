import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openQueue } from '../../src/queue/queue.ts';
import { openBull, QUEUE_BACKENDS } from '../support/queue-backends.ts';

const DAY = 24 * 3_600_000;
const JOBS = 150;
/** 100, and what BullMQ trims at once: a node of a stream, or 256 rows. */
const MOST_EVENTS = 100 + 256;
const options = { nextSlot: async () => undefined, onFault: () => {} };

describe.each(QUEUE_BACKENDS)('the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);

  it('keeps no job that is over, and few events, however many jobs have run', async () => {
    await using place = await open();
    const queue = openQueue(place.backend, options);
    let ran = 0;
    const rotate = async () => {
      ran += 1;
    };
    const worker = await queue.work({
      rotate,
      slot: async () => {},
      sweep: async () => {},
      deliver: async () => {},
    });
    for (let index = 0; index < JOBS; index += 1) await queue.enqueue({ id: randomUUID(), policy: 'p' });
    await expect.poll(() => ran, { timeout: 60_000 }).toBe(JOBS);
    await worker.close();
    const bull = openBull(place.backend);
    const counts = await bull.getJobCounts();
    await bull.close();
    await queue.close();
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(0);
    const events = await place.events();
    expect(events).toBeGreaterThan(0);
    expect(events).toBeLessThanOrEqual(MOST_EVENTS);
  }, 90_000);

  it('loses what somebody else had it keep, a day after it was over', async () => {
    await using place = await open();
    const queue = openQueue(place.backend, options);
    const bull = openBull(place.backend);
    await bull.add('nobody', {}, { removeOnFail: false });
    const idle = async () => {};
    const worker = await queue.work({ rotate: idle, slot: idle, sweep: idle, deliver: idle });
    await expect.poll(() => bull.getFailedCount(), { timeout: 20_000 }).toBe(1);
    await worker.close();
    await queue.prune();
    expect(await bull.getFailedCount()).toBe(1);
    await place.age(2 * DAY);
    await queue.prune();
    expect(await bull.getFailedCount()).toBe(0);
    await bull.close();
    await queue.close();
  }, 60_000);
});
