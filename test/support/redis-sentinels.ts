import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisSentinels } from '../../src/config/config.ts';
import { freePort } from './postgres-server.ts';
import { type RedisProcess, type RedisProcesses, startedWith, until } from './redis-processes.ts';

/** A primary with two replicas, watched by three sentinels, all of them with passwords. */
export interface SentinelSetup extends AsyncDisposable {
  readonly redis: RedisSentinels;
  /** The same as `queue.redis` has it in a file. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly sentinels: readonly RedisProcess[];
  /** The primary, as the first sentinel has it. */
  primary(): Promise<RedisProcess>;
  /** Resolves once all sentinels name another primary than this one, and it has taken over. */
  failover(from: RedisProcess): Promise<void>;
}

export const NAME = 'mymaster';
export const PASSWORDS = { password: 'data-pass-1', sentinelPassword: 'watch-pass-1' };

export function startSentinels(): Promise<SentinelSetup> {
  return startedWith(start);
}

async function start(processes: RedisProcesses): Promise<SentinelSetup> {
  const { password } = PASSWORDS;
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
  const replicas = await Promise.all(
    [1, 2].map((index) =>
      processes.start({
        args: [...args, '--replicaof', '127.0.0.1', String(primary.port), '--dbfilename', `${index}.rdb`],
        password,
      }),
    ),
  );
  for (const replica of replicas) {
    await until(async () => String(await replica.ask('INFO', 'replication')).includes('link_status:up'));
  }
  const data = [primary, ...replicas];
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(processes, primary.port)));
  for (const sentinel of sentinels) {
    await until(async () => {
      const [state] = (await sentinel.ask('SENTINEL', 'MASTERS')) as string[][];
      return fieldOf(state, 'num-other-sentinels') === '2' && fieldOf(state, 'num-slaves') === '2';
    });
  }
  const named = async (sentinel: RedisProcess | undefined) => {
    const answer = (await sentinel?.ask('SENTINEL', 'get-master-addr-by-name', NAME)) as string[];
    return data.find(({ port }) => String(port) === answer[1]) as RedisProcess;
  };
  return {
    redis: {
      sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      name: NAME,
      database: 3,
      ...PASSWORDS,
      tls: { mode: 'disable' },
      plaintext: false,
    },
    entry: {
      sentinels: sentinels.map(({ port }) => `127.0.0.1:${port}`),
      name: NAME,
      database: 3,
      ...PASSWORDS,
    },
    sentinels,
    primary: () => named(sentinels[0]),
    async failover(from) {
      for (const sentinel of sentinels) await until(async () => (await named(sentinel)) !== from);
      const next = await named(sentinels[0]);
      await until(async () => String(await next.ask('INFO', 'replication')).includes('role:master'));
    },
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  };
}

/** A sentinel that watches a primary. `options` are lines of its configuration. */
export async function startSentinel(
  processes: RedisProcesses,
  primary: number,
  { options = {}, ca }: { readonly options?: Readonly<Record<string, string>>; readonly ca?: string } = {},
): Promise<RedisProcess> {
  const { password, sentinelPassword } = PASSWORDS;
  const port = await freePort();
  const file = join(processes.folder, `sentinel-${port}.conf`);
  const lines = [
    ...Object.entries(options).map(([name, value]) => `${name} ${value}`),
    `requirepass ${sentinelPassword}`,
    `sentinel sentinel-pass ${sentinelPassword}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} 2`,
    `sentinel auth-pass ${NAME} ${password}`,
    `sentinel down-after-milliseconds ${NAME} 500`,
    `sentinel failover-timeout ${NAME} 3000`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const tls = ca === undefined ? {} : { ca };
  return processes.start({ args: [file, '--sentinel'], password: sentinelPassword, port, ...tls });
}

/** A value of an answer that lists keys and values in turn, or of a mapping in RESP3. */
function fieldOf(answer: readonly string[] | undefined, key: string): string | undefined {
  return answer?.[answer.indexOf(key) + 1];
}
