import { createPostgresBackend, Worker, type WorkerOptions } from 'bullmq';
import type { JobData, QueueJob } from './job.ts';
import type { OpenBull } from './open-bull-queue.ts';
import {
  FOREVER,
  keyPrefix,
  postgresConnection,
  QUEUE_NAME,
  type QueueBackend,
  workerName,
} from './queue-backend.ts';
import { endConnection, redisConnection } from './redis/redis-connection.ts';

type Settings = NonNullable<WorkerOptions['settings']>;
type Processor = (job: QueueJob, token?: string) => Promise<void>;

/** How many jobs a worker runs at once, those of deliveries aside. */
export const ROTATIONS_AT_ONCE = 8;

// A dead worker is noticed when its lock has expired and stalled jobs are looked for next.
const WORKER: Omit<WorkerOptions, 'connection'> = {
  concurrency: ROTATIONS_AT_ONCE,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // After a fetch that met no server. In BullMQ's 15 s a worker would look down though it is up.
  runRetryDelay: 1_000,
  // A rotation rolls forward however often its worker dies. The ledger says when it is over.
  maxStalledCount: FOREVER,
};

/** BullMQ's worker on either backend, running at once. */
export function openBullWorker(
  backend: QueueBackend,
  processor: Processor,
  settings: Settings,
): Pick<OpenBull<Worker<JobData, void, string>>, 'bull' | 'end'> {
  const common = { ...WORKER, name: workerName(backend), settings };
  if ('redis' in backend) {
    const connection = redisConnection(backend.redis, { maxRetries: null });
    const bull = new Worker<JobData, void, string>(QUEUE_NAME, processor, {
      ...common,
      connection,
      prefix: keyPrefix(backend.redis),
    });
    return { bull, end: () => endConnection(connection) };
  }
  const connection = postgresConnection(backend.database, { max: 8, application_name: 'keyturn worker' });
  // BullMQ types the worker of a backend that is given by that backend's own jobs.
  const bull = new Worker(
    QUEUE_NAME,
    processor as never,
    { ...common, connection },
    createPostgresBackend,
  ) as unknown as Worker<JobData, void, string>;
  return { bull, end: () => {} };
}
