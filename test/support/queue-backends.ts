import { setTimeout as sleep } from 'node:timers/promises';
import { createPostgresBackend, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { inject } from 'vitest';
import type { QueueRedis } from '../../src/config/config.ts';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { migrateQueue } from '../../src/queue/migrate-queue.ts';
import { keyPrefix, postgresConnection, type QueueBackend } from '../../src/queue/queue-backend.ts';
import { endConnection, redisConnection } from '../../src/queue/redis/redis-connection.ts';
import { adminOf } from './admin.ts';
import { uniqueName } from './unique-name.ts';

/** The backends that every test of a queue runs on. A Redis that has several nodes has tests of its own. */
type CommonBackend = { readonly redis: string } | Exclude<QueueBackend, { readonly redis: unknown }>;

/** A place for a queue of a test's own. */
export interface QueuePlace<Backend extends QueueBackend = CommonBackend> extends AsyncDisposable {
  readonly backend: Backend;
  /** Loses everything that the queue keeps, as a Redis that was flushed. */
  flush(): Promise<void>;
  /** How many events BullMQ has kept. */
  events(): Promise<number>;
  /** Makes jobs that have failed look as though they had so many milliseconds earlier. */
  age(milliseconds: number): Promise<void>;
}

async function onPostgres(): Promise<QueuePlace> {
  const server = inject('postgres');
  const name = uniqueName('queue');
  const admin = await adminOf(server);
  await admin.client.query(`CREATE DATABASE ${name}`);
  const { user, password, host, port } = server;
  const database = { user, password, host, port, database: name, tls: { mode: 'disable' } } as const;
  const pool = new pg.Pool({ ...clientOptions(database), max: 1 });
  pool.on('error', () => {});
  await migrateQueue(pool);
  return {
    backend: { database },
    flush: () => truncateQueue(pool),
    async events() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM bullmq.event');
      return rows[0].count;
    },
    async age(milliseconds) {
      await pool.query(
        `UPDATE bullmq.job SET finished_at_ms = finished_at_ms - $1, added_at_ms = added_at_ms - $1,
                processed_at_ms = processed_at_ms - $1`,
        [milliseconds],
      );
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await admin.client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin[Symbol.asyncDispose]();
    },
  };
}

/** Empties BullMQ's tables, but for what says how they are made. */
export async function truncateQueue(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(
    `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') AS tables FROM pg_tables
      WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%'`,
  );
  const { tables } = rows[0];
  // All tables or none, in the one transaction of such a query: whoever waits for one while it holds another may deadlock with a worker.
  for (;;) {
    try {
      await pool.query(`LOCK TABLE ${tables} NOWAIT; TRUNCATE ${tables}`);
      return;
    } catch (error) {
      if ((error as pg.DatabaseError).code !== LOCK_NOT_AVAILABLE) throw error;
      await sleep(5);
    }
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

async function onRedis(): Promise<QueuePlace> {
  const url = await takeRedisDatabase();
  await flushRedis(url);
  return {
    backend: { redis: url },
    flush: () => flushRedis(url),
    events: () => withRedis(url, (redis) => redis.xlen('keyturn:keyturn:events')),
    age: (milliseconds) =>
      withRedis(url, async (redis) => {
        for (const id of await redis.zrange('keyturn:keyturn:failed', '0', '-1')) {
          await redis.zincrby('keyturn:keyturn:failed', -milliseconds, id);
          for (const field of ['finishedOn', 'processedOn', 'timestamp']) {
            await redis.hincrby(`keyturn:keyturn:${id}`, field, String(-milliseconds));
          }
        }
      }),
    async [Symbol.asyncDispose]() {
      await flushRedis(url);
      await withRedis(url, (redis) => redis.del(TAKEN));
    },
  };
}

const TAKEN = 'taken-by-a-test';

// Test files run side by side, the queue's name is fixed, and Redis has sixteen databases.
async function takeRedisDatabase(): Promise<string> {
  for (let database = 1; ; database = (database % 15) + 1) {
    const url = `${inject('redis')}/${database}`;
    const taken = await withRedis(url, (redis) => redis.set(TAKEN, process.pid, 'EX', 300, 'NX'));
    if (taken) return url;
    await sleep(20);
  }
}

async function withRedis<Result>(url: string, act: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(url);
  try {
    return await act(redis);
  } finally {
    await redis.quit();
  }
}

/** Removes the queue's keys, and only those: the server may be someone's own. */
export function flushRedis(url: string): Promise<void> {
  return withRedis(url, async (redis) => {
    const keys = await redis.keys('keyturn:*');
    if (keys.length > 0) await redis.del(keys);
  });
}

/** What BullMQ itself says of the queue. */
export function openBull(backend: QueueBackend): Queue {
  if ('redis' in backend && typeof backend.redis !== 'string') return openBullOnCluster(backend.redis);
  return 'redis' in backend
    ? new Queue('keyturn', { connection: { url: String(backend.redis) }, prefix: 'keyturn' })
    : (new Queue(
        'keyturn',
        { connection: postgresConnection(backend.database, { max: 2, application_name: 'test' }) },
        createPostgresBackend,
      ) as unknown as Queue);
}

/** BullMQ leaves open the cluster that it gets, so this closes it too. */
function openBullOnCluster(redis: QueueRedis): Queue {
  const connection = redisConnection(redis, { maxRetries: 2 });
  const queue = new Queue('keyturn', { connection, prefix: keyPrefix(redis) });
  const close = queue.close.bind(queue);
  queue.close = async () => {
    await close();
    endConnection(connection);
  };
  return queue;
}

/** Both, for `describe.each`: the name, how to open one, and whether it is there. */
export const QUEUE_BACKENDS = [
  ['PostgreSQL', onPostgres, true],
  ['Redis', onRedis, inject('redis') !== undefined],
] as const;
