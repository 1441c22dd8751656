import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';
import { filePolicy } from '../support/workspace.ts';
import { row } from './rows.ts';
import { expectWhole, historyOf, openWorld, type World } from './world.ts';

describe.skipIf(inject('redis') === undefined)('a queue on Redis', () => {
  let world: World;
  let place: QueuePlace;
  let redis: string;
  beforeEach(async () => {
    const [, open] = QUEUE_BACKENDS[1];
    place = await open();
    world = await openWorld(inject('postgres'));
    redis = 'redis' in place.backend ? place.backend.redis : '';
    await world.workspace.configure(filePolicy(world.workspace.logins), { redis });
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** A worker that sweeps often. */
  async function startWorker() {
    const env = { ...process.env, KEYTURN_LOG_LEVEL: 'silent' };
    const app = await openApp({ configPath: 'config', env, cwd: world.workspace.folder, sweepInterval: 500 });
    await app.work();
    return app;
  }
  const state = async () => JSON.parse((await world.run('status', 'app', '--json')).stdout)[0].state;

  test('queue lost: the open rotation has a job again, and ends as ever (G1, G2, G4)', async () => {
    row('queue lost');
    await world.rotate();
    const old = await world.workspace.published();
    const session = await world.connect(old);
    await using _worker = await startWorker();
    expect((await world.run('rotate', 'app')).code).toBe(0);
    await expect.poll(state).toBe('draining');
    await place.flush();
    expect(await world.canLogIn(old.user)).toBe(true);
    await session[Symbol.asyncDispose]();
    await expect.poll(state).toBe('active');
    await expect(world.workspace.logIn(old)).rejects.toThrow();
    await world.workspace.logIn();
  });

  test('queue older: the job of a rotation that has ended does nothing (G1, G4)', async () => {
    row('queue older');
    await world.rotate();
    await world.run('rotate', 'app');
    const restore = await dump(redis);
    await world.runOpen();
    const published = await world.workspace.published();
    const before = await historyOf(world);
    await place.flush();
    await restore();
    expect(await rotationsIn(place)).toBe(1);
    {
      await using _worker = await startWorker();
      await expect.poll(() => rotationsIn(place)).toBe(0);
    }
    expect(await historyOf(world)).toEqual(before);
    expect(await world.workspace.published()).toEqual(published);
    await expectWhole(world);
  });
});

/** What Redis has of the queue. Returns how to put it back. */
async function dump(url: string): Promise<() => Promise<void>> {
  const redis = new Redis(url);
  const keys = await redis.keys('keyturn:*');
  const values = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
  await redis.quit();
  return async () => {
    const again = new Redis(url);
    for (const [key, value] of values) if (value) await again.restore(key, '0', value, 'REPLACE');
    await again.quit();
  };
}

/** How many rotations have a job that waits or runs. */
async function rotationsIn(place: QueuePlace): Promise<number> {
  const bull = openBull(place.backend);
  try {
    const jobs = await bull.getJobs(['waiting', 'active', 'delayed', 'prioritized']);
    return jobs.filter((job) => job?.name === 'rotate').length;
  } finally {
    await bull.close();
  }
}
