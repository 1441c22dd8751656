import { UnrecoverableError } from 'bullmq';
import type { JobData, JobHandlers, JobName, QueueJob } from './job.ts';

/**
 * Calls the handler of a job. A job that nobody of ours queued fails, and is not tried again: whoever may write to the
 * queue could give it any name and data.
 */
export function dispatch(handlers: JobHandlers) {
  return async (job: QueueJob, token = ''): Promise<void> => {
    // Of an object literal `constructor` and others would be found, too.
    if (!isJobName(job.name) || !Object.hasOwn(handlers, job.name)) {
      throw new UnrecoverableError('it has a name that keyturn has no jobs of; remove who queued it');
    }
    const known = knownData(job.data);
    if (job.name === 'rotate' && known.rotation === undefined) {
      throw new UnrecoverableError('it names no rotation by its UUID; remove who queued it');
    }
    await handlers[job.name](job, token);
  };
}

function isJobName(name: string): name is JobName {
  return name === 'rotate' || name === 'slot' || name === 'sweep';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What keyturn itself puts into a job, of what is in this one. */
export function knownData(data: unknown): JobData {
  if (typeof data !== 'object' || data === null) return {};
  const { policy, rotation } = data as { readonly policy?: unknown; readonly rotation?: unknown };
  return {
    ...(typeof policy === 'string' ? { policy } : {}),
    ...(typeof rotation === 'string' && UUID.test(rotation) ? { rotation } : {}),
  };
}
