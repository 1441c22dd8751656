import { createPostgresBackend, Queue, type WorkerOptions } from 'bullmq';
import type { JobData, JobName } from './job.ts';
import { postgresConnection, QUEUE_NAME, type QueueBackend, redisConnection } from './queue-backend.ts';

type Settings = NonNullable<WorkerOptions['settings']>;

/**
 * BullMQ's queue on either backend; it connects by itself, and tries again for as long as it must.
 */
export function openBullQueue(backend: QueueBackend, settings: Settings): Queue<JobData, void, string> {
  if ('redis' in backend) {
    // Whoever asks from a command line wants an answer, not an endless wait for Redis.
    return new Queue(QUEUE_NAME, {
      connection: redisConnection(backend.redis, { maxRetries: 2 }),
      prefix: QUEUE_NAME,
      settings,
    });
  }
  const connection = postgresConnection(backend.database, { max: 4, application_name: 'keyturn queue' });
  // BullMQ types the queue of a backend that is given by that backend's own jobs.
  return new Queue(QUEUE_NAME, { connection, settings }, createPostgresBackend) as unknown as Queue<
    JobData,
    void,
    JobName
  >;
}
