import { Queue, type WorkerOptions } from 'bullmq';
import type { JobData, JobName } from './job.ts';
import { keyPrefix, postgresConnection, QUEUE_NAME, type QueueBackend } from './queue-backend.ts';
import { endConnection, isLost, redisConnection } from './redis/redis-connection.ts';
import { createBatchingBackend } from './scheduler-batches.ts';

/**
 * How many events BullMQ keeps, about: both backends trim by it. keyturn reads none of them.
 * https://docs.bullmq.io/guide/events
 */
const streams = { events: { maxLen: 100 } } as const;

type Settings = NonNullable<WorkerOptions['settings']>;

/** A client of BullMQ, and what ends the connections that it leaves open. */
export interface OpenBull<Client> {
  readonly bull: Client;
  readonly end: () => void;
  /** Whether a request would wait for a server without end. */
  readonly isLost: () => boolean;
}

/**
 * BullMQ's queue on either backend; it connects by itself, and tries again for as long as it must.
 */
export function openBullQueue(
  backend: QueueBackend,
  settings: Settings,
): OpenBull<Queue<JobData, void, string>> {
  if ('redis' in backend) {
    // Whoever asks from a command line wants an answer, not an endless wait for Redis.
    const connection = redisConnection(backend.redis, { maxRetries: 2 });
    const bull = new Queue<JobData, void, string>(QUEUE_NAME, {
      connection,
      prefix: keyPrefix(backend.redis),
      settings,
      streams,
    });
    return { bull, end: () => endConnection(connection), isLost: () => isLost(connection) };
  }
  const connection = postgresConnection(backend.database, { max: 4, application_name: 'keyturn queue' });
  // BullMQ types the queue of a backend that is given by that backend's own jobs.
  const bull = new Queue(
    QUEUE_NAME,
    { connection, settings, streams },
    createBatchingBackend,
  ) as unknown as Queue<JobData, void, JobName>;
  return { bull, end: () => {}, isLost: () => false };
}
