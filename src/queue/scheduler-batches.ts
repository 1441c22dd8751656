import { createPostgresBackend, type PostgresQueueBackend } from 'bullmq';

/** How many schedulers one statement makes. */
export const SCHEDULERS_AT_ONCE = 1_000;

/**
 * BullMQ's SQL for one scheduler is a call of this function. Params: the queue, the schedulers, and
 * the present in milliseconds.
 */
const ADD_ALL = `
  SELECT added.job_id, added.delay
    FROM pg_catalog.jsonb_array_elements($2::pg_catalog.jsonb) WITH ORDINALITY AS asked (entry, position)
   CROSS JOIN LATERAL bullmq.add_job_scheduler(
           $1, entry ->> 'id', (entry ->> 'next')::pg_catalog.int8, (entry ->> 'data')::pg_catalog.jsonb,
           entry -> 'template', entry -> 'repeat', entry -> 'job', $3, entry ->> 'producer') AS added
   ORDER BY position`;

/**
 * After these each scheduler is made by BullMQ itself: it refuses one of many, PostgreSQL breaks a
 * deadlock, or another version of BullMQ has no such function (undefined_function).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ONE_BY_ONE: readonly unknown[] = ['BM001', '40P01', '42883'];

type Asked = Parameters<PostgresQueueBackend['addJobScheduler']>;
type Answer = Awaited<ReturnType<PostgresQueueBackend['addJobScheduler']>>;

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * BullMQ's backend on PostgreSQL. Schedulers that are asked for at the same time are made in one
 * statement, which BullMQ has for jobs only: ten thousand commits take half a minute.
 */
export const createBatchingBackend: typeof createPostgresBackend = (name, options, more) => {
  const backend = createPostgresBackend(name, options, more);
  const addOne = backend.addJobScheduler.bind(backend);
  let waiting: Waiting[] = [];

  function sendAll(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += SCHEDULERS_AT_ONCE) {
      void send(all.slice(from, from + SCHEDULERS_AT_ONCE));
    }
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    const [first] = batch;
    if (first && batch.length === 1) return first.resolve(addOne(...first.asked));
    try {
      const answers = await addAll(backend, name, batch);
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      const mayGoOn = ONE_BY_ONE.includes((error as { code?: unknown }).code);
      for (const { asked, resolve, reject } of batch) {
        if (mayGoOn) resolve(addOne(...asked));
        else reject(error);
      }
    }
  }

  backend.addJobScheduler = (...asked) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendAll);
      waiting.push({ asked, resolve, reject });
    });
  return backend;
};

/** The answers in the order of the batch: the function returns one row for each. */
async function addAll(
  { connection }: PostgresQueueBackend,
  queue: string,
  batch: readonly Waiting[],
): Promise<Answer[]> {
  const entries = batch.map(({ asked: [id, next, data, template, repeat, job, producer] }) => ({
    ...{ id, next, data: data || '{}', template: template ?? {}, repeat: repeat ?? {}, job: job ?? {} },
    producer,
  }));
  const { rows } = await connection.pool.query<{ readonly job_id: string; readonly delay: string }>(ADD_ALL, [
    queue,
    JSON.stringify(entries),
    Date.now(),
  ]);
  return rows.map(({ job_id, delay }) => [job_id, Number(delay)]);
}
