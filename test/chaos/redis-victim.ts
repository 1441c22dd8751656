import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../support/postgres-server.ts';

export interface RedisVictim extends AsyncDisposable {
  readonly url: string;
  /** Kills it and starts it again, with what it had brought to disk. */
  restart(): Promise<void>;
  flush(): Promise<void>;
}

/** A Redis of its own that keeps an append-only file, as one in production does. */
export async function startRedisVictim(): Promise<RedisVictim> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess;
  const start = async () => {
    child = spawn(
      'redis-server',
      ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--appendonly', 'yes', '--save', ''],
      { stdio: 'ignore' },
    );
    await ask((redis) => redis.ping());
  };
  const ask = async (act: (redis: Redis) => Promise<unknown>) => {
    const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 200 });
    redis.on('error', () => {});
    await act(redis);
    redis.disconnect();
  };
  const stop = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url,
    async restart() {
      await stop();
      await sleep(500);
      await start();
    },
    flush: () => ask((redis) => redis.flushall()),
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
