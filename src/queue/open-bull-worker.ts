import { createPostgresBackend, Worker, type WorkerOptions } from 'bullmq';
import type { JobData, QueueJob } from './job.ts';
import {
  FOREVER,
  postgresConnection,
  QUEUE_NAME,
  type QueueBackend,
  redisConnection,
  workerName,
} from './queue-backend.ts';

type Settings = NonNullable<WorkerOptions['settings']>;
type Processor = (job: QueueJob, token?: string) => Promise<void>;

// A dead worker is noticed when its lock has expired and stalled jobs are looked for next.
const WORKER: Omit<WorkerOptions, 'connection'> = {
  concurrency: 8,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // A rotation rolls forward however often its worker dies. The ledger says when it is over.
  maxStalledCount: FOREVER,
};

/** BullMQ's worker on either backend, running at once. */
export function openBullWorker(
  backend: QueueBackend,
  processor: Processor,
  settings: Settings,
): Worker<JobData, void, string> {
  if ('redis' in backend) {
    const connection = redisConnection(backend.redis, { maxRetries: null });
    return new Worker(QUEUE_NAME, processor, {
      ...WORKER,
      name: workerName(backend),
      connection,
      prefix: QUEUE_NAME,
      settings,
    });
  }
  const connection = postgresConnection(backend.database, { max: 8, application_name: 'keyturn worker' });
  // BullMQ types the worker of a backend that is given by that backend's own jobs.
  return new Worker(
    QUEUE_NAME,
    processor as never,
    { ...WORKER, name: workerName(backend), connection, settings },
    createPostgresBackend,
  ) as unknown as Worker<JobData, void, string>;
}
