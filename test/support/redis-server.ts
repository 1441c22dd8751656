import { spawn } from 'node:child_process';
import { Redis } from 'ioredis';
import { freePort } from './postgres-server.ts';

export interface Service extends AsyncDisposable {
  readonly url: string;
}

/** The Redis of KEYTURN_TEST_REDIS_URL, or one from PATH on a free port that keeps nothing; undefined without either. */
export async function startRedis(): Promise<Service | undefined> {
  const given = process.env.KEYTURN_TEST_REDIS_URL;
  if (given) return { url: given, [Symbol.asyncDispose]: async () => {} };
  const port = await freePort();
  const child = spawn(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'],
    {
      cwd: '/',
      stdio: 'ignore',
    },
  );
  const started = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  if (!started) return undefined;
  const url = `redis://127.0.0.1:${port}`;
  const probe = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  probe.on('error', () => {});
  await probe.ping();
  probe.disconnect();
  return {
    url,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}
