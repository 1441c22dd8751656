import { createHash } from 'node:crypto';
import type { PostgresConnectionOptions } from 'bullmq';
import type { Database, QueueRedis } from '../config/config.ts';
import { clientOptions } from '../postgres/connection/client-options.ts';
import { pinned } from '../postgres/connection/pinned.ts';
import { nodeName } from './redis/redis-socket.ts';

/** Redis, or PostgreSQL through BullMQ's backend for it. */
export type QueueBackend = { readonly redis: QueueRedis } | { readonly database: Database };

/** The name of keyturn's queue in BullMQ, on either backend. */
export const QUEUE_NAME = 'keyturn';

/**
 * No limit, for what BullMQ counts: the largest integer of PostgreSQL, in which it keeps counts
 * there.
 */
export const FOREVER = 2 ** 31 - 1;

/**
 * What the keys of the queue begin with. In a cluster the braces keep them in one slot, which
 * BullMQ's scripts need: https://docs.bullmq.io/patterns/redis-cluster
 */
export function keyPrefix(redis: QueueRedis): string {
  return typeof redis === 'object' && 'cluster' in redis ? `{${QUEUE_NAME}}` : QUEUE_NAME;
}

/** The state database as BullMQ wants it. */
export function postgresConnection(
  database: Database,
  pool: { readonly max: number; readonly application_name: string },
): PostgresConnectionOptions {
  // BullMQ passes all to pg, whose own options are more than BullMQ's type knows.
  return { ...clientOptions(database), ...pinned(database, 'queue'), ...pool } as PostgresConnectionOptions;
}

/**
 * The name of this queue's workers. BullMQ lists the workers of the whole server, whatever their
 * database; this name tells ours from the others.
 */
export function workerName(backend: QueueBackend): string {
  return createHash('sha256').update(placeOf(backend)).digest('hex').slice(0, 12);
}

/** Equal for all workers of a queue, in whatever order their configurations list its nodes. */
function placeOf(backend: QueueBackend): string {
  if ('database' in backend) return `${serverOf(backend)}/${backend.database.database}`;
  const { redis } = backend;
  if (typeof redis === 'string') return serverOf(backend) + new URL(redis).pathname;
  return 'cluster' in redis ? 'cluster' : `${redis.name}/${redis.database}`;
}

/** The servers of a queue, each as `host:port`. */
export function serverOf(backend: QueueBackend): string {
  if ('database' in backend) return `${backend.database.host}:${backend.database.port}`;
  const { redis } = backend;
  if (typeof redis === 'string') return new URL(redis).host;
  return ('cluster' in redis ? redis.cluster : redis.sentinels).map(nodeName).join(', ');
}
