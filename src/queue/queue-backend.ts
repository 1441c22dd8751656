import { createHash } from 'node:crypto';
import type { PostgresConnectionOptions } from 'bullmq';
import type { Database } from '../config/config.ts';
import { clientOptions } from '../postgres/connection/client-options.ts';
import { pinned } from '../postgres/connection/pinned.ts';

/** Redis by URL, or PostgreSQL through BullMQ's backend for it. */
export type QueueBackend = { readonly redis: string } | { readonly database: Database };

/** The name of keyturn's queue in BullMQ, on either backend. */
export const QUEUE_NAME = 'keyturn';

/**
 * No limit, for what BullMQ counts: the largest integer of PostgreSQL, in which it keeps counts
 * there.
 */
export const FOREVER = 2 ** 31 - 1;

/**
 * Options for a client of Redis that tries again every second; BullMQ's own would come to wait for
 * twenty.
 */
export function redisConnection(url: string, { maxRetries }: { readonly maxRetries: number | null }) {
  return { url, maxRetriesPerRequest: maxRetries, retryStrategy: () => 1_000 };
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
  const place = 'redis' in backend ? new URL(backend.redis).pathname : `/${backend.database.database}`;
  return createHash('sha256')
    .update(serverOf(backend) + place)
    .digest('hex')
    .slice(0, 12);
}

/** The server of a queue: `host:port`. */
export function serverOf(backend: QueueBackend): string {
  if ('redis' in backend) return new URL(backend.redis).host;
  return `${backend.database.host}:${backend.database.port}`;
}
