import { createHash } from 'node:crypto';
import type { Database } from '../config/config.ts';

/** Redis by URL, or PostgreSQL through BullMQ's backend for it. */
export type QueueBackend = { readonly redis: string } | { readonly database: Database };

/** Options for a client of Redis that tries again every second; BullMQ's own would come to wait for twenty. */
export function redisConnection(url: string, { maxRetries }: { readonly maxRetries: number | null }) {
  return { url, maxRetriesPerRequest: maxRetries, retryStrategy: () => 1_000 };
}

/** What BullMQ knows keyturn's jobs by, on either backend. */
export const QUEUE_NAME = 'keyturn';

/** Without end, for what BullMQ counts: the largest integer of PostgreSQL, which is what it keeps counts in there. */
export const FOREVER = 2 ** 31 - 1;

/** BullMQ lists the workers of the whole server, whatever their database; this name tells ours from the others. */
export function workerName(backend: QueueBackend): string {
  const place = 'redis' in backend ? new URL(backend.redis).pathname : `/${backend.database.database}`;
  return createHash('sha256')
    .update(placeOf(backend) + place)
    .digest('hex')
    .slice(0, 12);
}

/** The server of a queue: `host:port`. */
export function placeOf(backend: QueueBackend): string {
  if ('redis' in backend) return new URL(backend.redis).host;
  return `${backend.database.host}:${backend.database.port}`;
}
