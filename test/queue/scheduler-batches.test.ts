import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';

const [[, openPostgres]] = QUEUE_BACKENDS;
const POLICIES = 2_500;
const SLOT = Date.now() + 3_600_000;
const DUE = new Map(Array.from({ length: POLICIES }, (_, index) => [`p${index}`, SLOT + index]));

let place: QueuePlace;
let queue: RotationQueue;
beforeEach(async () => {
  place = await openPostgres();
  queue = openQueue(place.backend, { nextSlot: async () => undefined, onFault: () => {} });
});
afterEach(async () => {
  await queue.close();
  await place[Symbol.asyncDispose]();
});

/** How many transactions have made the schedulers. */
async function transactions({ backend }: QueuePlace): Promise<number> {
  if (!('database' in backend)) throw new Error('the queue is not on PostgreSQL');
  const client = new pg.Client(clientOptions(backend.database));
  await client.connect();
  const { rows } = await client.query('SELECT count(DISTINCT xmin::text)::int AS made FROM bullmq.scheduler');
  await client.end();
  return rows[0].made;
}

test('makes the schedulers of a thousand policies in one statement', async () => {
  await queue.schedule(DUE);
  expect(await queue.schedulers()).toBe(POLICIES);
  expect(await transactions(place)).toBe(3);
  const bull = openBull(place.backend);
  const [job] = await bull.getDelayed(0, 0);
  expect(job).toMatchObject({ name: 'slot', data: { policy: 'p0' }, repeatJobKey: 'slot-p0' });
  expect((await bull.getJobSchedulers(0, -1, true)).map(({ key, next }) => [key, next])).toEqual(
    [...DUE].map(([policy, slot]) => [`slot-${policy}`, slot]),
  );
  await bull.close();
});

test('makes all others where BullMQ refuses one of many', async () => {
  const bull = openBull(place.backend);
  await bull.add('slot', {}, { jobId: `repeat:slot-p7:${SLOT + 7}`, delay: 3_600_000 });
  await queue.schedule(DUE);
  expect(await queue.schedulers()).toBe(POLICIES - 1);
  expect(await bull.getJobScheduler('slot-p7')).toBeUndefined();
  await bull.close();
});
