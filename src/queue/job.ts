import type { Job } from 'bullmq';

/** What a job carries: names and UUIDs, never a credential. */
export interface JobData {
  readonly policy?: string;
  readonly rotation?: string;
}

export type JobName = 'rotate' | 'slot' | 'sweep';
export type QueueJob = Job<JobData, void, string>;
export type JobHandlers = Readonly<Record<JobName, (job: QueueJob, token: string) => Promise<void>>>;
