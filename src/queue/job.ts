import { type Job, UnrecoverableError } from 'bullmq';
import { type Fact, fact } from '../facts/fact.ts';

/** What a job carries: names and UUIDs, never a credential. */
export interface JobData {
  readonly policy?: string;
  readonly rotation?: string;
  readonly sink?: string;
}

const JOB_NAMES = ['deliver', 'rotate', 'slot', 'sweep'] as const;
export type JobName = (typeof JOB_NAMES)[number];
export type QueueJob = Job<JobData, void, string>;
export type JobHandlers = Readonly<Record<JobName, (job: QueueJob, token: string) => Promise<void>>>;

/** A job that keyturn did not queue. BullMQ tells by the class that it must not be tried again. */
export class ForeignJob extends UnrecoverableError {
  readonly fact: Fact<'job-unknown' | 'job-without-rotation'>;

  constructor(code: 'job-unknown' | 'job-without-rotation') {
    super(code);
    this.fact = fact(code, {});
  }
}

/**
 * Calls the handler of a job. Throws a ForeignJob for one that keyturn did not queue: whoever may
 * write to the queue could give it any name and data.
 */
export function dispatch(handlers: JobHandlers) {
  return async (job: QueueJob, token = ''): Promise<void> => {
    // An object literal also has `constructor` and others.
    if (!isJobName(job.name) || !Object.hasOwn(handlers, job.name)) throw new ForeignJob('job-unknown');
    const known = knownData(job.data);
    if (job.name === 'rotate' && known.rotation === undefined) throw new ForeignJob('job-without-rotation');
    await handlers[job.name](job, token);
  };
}

function isJobName(name: string): name is JobName {
  return (JOB_NAMES as readonly string[]).includes(name);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The part of a job's data that keyturn itself puts into jobs. */
export function knownData(data: unknown): JobData {
  if (typeof data !== 'object' || data === null) return {};
  const { policy, rotation, sink } = data as Readonly<Record<keyof JobData, unknown>>;
  return {
    ...(typeof policy === 'string' ? { policy } : {}),
    ...(typeof rotation === 'string' && UUID.test(rotation) ? { rotation } : {}),
    ...(typeof sink === 'string' ? { sink } : {}),
  };
}
