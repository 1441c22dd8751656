import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './postgres-server.ts';

/** One `redis-server` that a test starts, and may kill. */
export interface RedisProcess {
  readonly port: number;
  /** Asks it over a connection of its own, for as long as it takes to come up. */
  ask(...command: readonly string[]): Promise<unknown>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  kill(): Promise<void>;
}

/** Servers that keep their files in one folder. Disposing of them ends those that are left, and removes it. */
export interface RedisProcesses extends AsyncDisposable {
  readonly folder: string;
  start(wanted: RedisWanted): Promise<RedisProcess>;
}

export interface RedisWanted {
  readonly args: readonly string[];
  readonly password?: string;
  /** Left out: a free one. */
  readonly port?: number;
  /** How to connect where the port speaks TLS only. */
  readonly ca?: string;
}

export async function redisProcesses(): Promise<RedisProcesses> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-redis-'));
  const started: RedisProcess[] = [];
  return {
    folder,
    async start(wanted) {
      const port = wanted.port ?? (await freePort());
      const server = startProcess(folder, port, wanted);
      started.push(server);
      await server.ask('PING');
      return server;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((server) => server.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts servers that end where one of them does not come up. */
export async function startedWith<Setup>(
  start: (processes: RedisProcesses) => Promise<Setup>,
): Promise<Setup> {
  const processes = await redisProcesses();
  try {
    return await start(processes);
  } catch (error) {
    await processes[Symbol.asyncDispose]();
    throw error;
  }
}

function startProcess(folder: string, port: number, { args, password, ca }: RedisWanted): RedisProcess {
  const listen = ca === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)];
  const child = spawn('redis-server', [...args, ...listen, '--bind', '127.0.0.1', '--dir', folder], {
    cwd: folder,
    stdio: 'ignore',
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    port,
    async ask(name = '', ...rest) {
      const redis = new Redis({
        host: '127.0.0.1',
        port,
        ...(password === undefined ? {} : { password }),
        ...(ca === undefined ? {} : { tls: { ca } }),
        retryStrategy: () => 50,
        maxRetriesPerRequest: 200,
        enableReadyCheck: false,
      });
      redis.on('error', () => {});
      try {
        return await redis.call(name, ...rest);
      } finally {
        redis.disconnect();
      }
    },
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Polls until it is true: servers of Redis tell nobody when they have found each other. */
export async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('the servers of Redis did not find each other');
    await sleep(50);
  }
}
