import { createHash } from 'node:crypto';

/** Redis by URL, or PostgreSQL through BullMQ's backend for it. */
export type QueueBackend = { readonly redis: string } | { readonly database: string };

/** What BullMQ knows keyturn's jobs by, on either backend. */
export const QUEUE_NAME = 'keyturn';

/** Without end, for what BullMQ counts: the largest integer of PostgreSQL, which is what it keeps counts in there. */
export const FOREVER = 2 ** 31 - 1;

/** BullMQ lists the workers of the whole server, whatever their database; this name tells ours from the others. */
export function workerName(backend: QueueBackend): string {
  const { host, pathname } = new URL('redis' in backend ? backend.redis : backend.database);
  return createHash('sha256')
    .update(host + pathname)
    .digest('hex')
    .slice(0, 12);
}
