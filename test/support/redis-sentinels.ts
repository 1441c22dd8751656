import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisSentinels } from '../../src/config/config.ts';
import { freePort } from './postgres-server.ts';
import { type RedisProcess, type RedisProcesses, redisProcesses, until } from './redis-processes.ts';

/** A primary with a replica, watched by three sentinels, all of them with passwords. */
export interface SentinelSetup extends AsyncDisposable {
  readonly redis: RedisSentinels;
  readonly sentinels: readonly RedisProcess[];
  /** Primary and replica, in the order in which they were started. */
  readonly data: readonly [RedisProcess, RedisProcess];
  /** Resolves once the sentinels name the replica, and it has taken over. */
  failover(): Promise<void>;
}

export const NAME = 'mymaster';
export const PASSWORDS = { password: 'data-pass-1', sentinelPassword: 'watch-pass-1' };

export async function startSentinels(): Promise<SentinelSetup> {
  const processes = await redisProcesses();
  try {
    return await start(processes);
  } catch (error) {
    await processes[Symbol.asyncDispose]();
    throw error;
  }
}

async function start(processes: RedisProcesses): Promise<SentinelSetup> {
  const { password, sentinelPassword } = PASSWORDS;
  const args = [
    '--requirepass',
    password,
    '--masterauth',
    password,
    '--save',
    '',
    '--repl-diskless-sync-delay',
    '0',
  ];
  const primary = await processes.start({ args, password });
  const replica = await processes.start({
    args: [...args, '--replicaof', '127.0.0.1', String(primary.port)],
    password,
  });
  await until(async () => String(await replica.ask('INFO', 'replication')).includes('link_status:up'));
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(processes, primary.port)));
  for (const sentinel of sentinels) {
    await until(async () => {
      const [state] = (await sentinel.ask('SENTINEL', 'MASTERS')) as string[][];
      return fieldOf(state, 'num-other-sentinels') === '2' && fieldOf(state, 'num-slaves') === '1';
    });
  }
  return {
    redis: {
      sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      name: NAME,
      database: 3,
      password,
      sentinelPassword,
      tls: { mode: 'disable' },
      plaintext: false,
    },
    sentinels,
    data: [primary, replica],
    async failover() {
      for (const sentinel of sentinels) {
        await until(async () => {
          const answer = await sentinel.ask('SENTINEL', 'get-master-addr-by-name', NAME);
          return (answer as string[])[1] === String(replica.port);
        });
      }
      await until(async () => String(await replica.ask('INFO', 'replication')).includes('role:master'));
    },
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  };
}

async function startSentinel(processes: RedisProcesses, primary: number): Promise<RedisProcess> {
  const { password, sentinelPassword } = PASSWORDS;
  const port = await freePort();
  const file = join(processes.folder, `sentinel-${port}.conf`);
  const lines = [
    `requirepass ${sentinelPassword}`,
    `sentinel sentinel-pass ${sentinelPassword}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`,
    `sentinel auth-pass ${NAME} ${password}`,
    `sentinel down-after-milliseconds ${NAME} 500`,
    `sentinel failover-timeout ${NAME} 3000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return processes.start({ args: [file, '--sentinel'], password: sentinelPassword, port });
}

/** A value of an answer that lists keys and values in turn, or of a mapping in RESP3. */
function fieldOf(answer: readonly string[] | undefined, key: string): string | undefined {
  return answer?.[answer.indexOf(key) + 1];
}
