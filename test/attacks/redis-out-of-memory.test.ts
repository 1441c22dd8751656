import { Redis } from 'ioredis';
import { expect, inject, test } from 'vitest';
import { keyturn } from '../support/keyturn.ts';
import { startRedis } from '../support/redis-server.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

// Its limits are changed, so it must be ours.
const own = process.env.KEYTURN_TEST_REDIS_URL === undefined && inject('redis') !== undefined;

test.skipIf(!own)(
  'a Redis that runs out of memory under a worker does not hold up rotate --inline; what needs it names it (G5)',
  async () => {
    await using workspace = await openWorkspace(inject('postgres'));
    await using redis = (await startRedis()) as NonNullable<Awaited<ReturnType<typeof startRedis>>>;
    await workspace.configure(filePolicy(workspace.logins), { redis: redis.url });
    const worker = await startWorkerProcess(workspace.folder, 60_000);
    const limit = async (bytes: number) => {
      const client = new Redis(redis.url);
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      await client.config('SET', 'maxmemory', String(bytes));
      await client.quit();
    };
    await limit(1);
    const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
    for (const how of [['--inline'], ['--inline', '--emergency', '--yes']]) {
      expect(await run('rotate', 'app', ...how)).toMatchObject({ code: 0 });
    }
    const refused = await run('rotate', 'app');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('OOM') });
    expect(refused.stderr).toMatch(
      /The queue on 127\.0\.0\.1:\d+: OOM .*; Redis takes no job; for OOM raise maxmemory/,
    );
    await workspace.logIn();
    await limit(0);
    await worker.stop();
  },
);
