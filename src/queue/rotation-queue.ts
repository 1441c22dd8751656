import type { Clock } from '../clock.ts';
import type { Fact } from '../facts/fact.ts';
import type { JobData, JobHandlers } from './job.ts';

/** When a policy is due next, in milliseconds since the epoch; undefined: never. */
export type NextSlot = (policy: string, after: number) => Promise<number | undefined>;

export interface QueueOptions {
  readonly nextSlot: NextSlot;
  /**
   * Called with what happens to clients and jobs outside of any verb. `job` says which policy and
   * rotation.
   */
  readonly onFault: (fact: Fact<'queue-client-failed' | 'job-failed'>, job?: JobData) => void;
  /** How often the sweep runs; milliseconds. */
  readonly sweepInterval?: number;
  /** The clock of the instants of `nextSlot` and `schedule`; left out: this machine's. */
  readonly clock?: Clock;
}

/** Every verb throws a fault that `isQueueFault` knows when the queue cannot be reached. */
export interface RotationQueue {
  /** Resolves once the queue answers. */
  reach(): Promise<void>;
  /** Queues a rotation; one that is queued already stays as it is. */
  enqueue(rotation: QueuedRotation): Promise<void>;
  /** Has a rotation looked at now, whatever instant it is waiting for. */
  hurry(rotation: QueuedRotation): Promise<void>;
  /** Has what is due to a sink delivered now. */
  deliver(sink: string): Promise<void>;
  /**
   * Makes the sweep run every minute. Returns whether it did already: a worker whose clock is wrong
   * may have put it off, or takes every one.
   */
  keepSweeping(): Promise<boolean>;
  /**
   * Makes the policies' job schedulers match: one for each of these, that runs at this instant
   * (milliseconds since the epoch). Those that do already are left alone.
   */
  schedule(due: ReadonlyMap<string, number>): Promise<void>;
  /** The same for some policies; undefined: its scheduler goes. Others are left alone. */
  adjust(due: ReadonlyMap<string, number | undefined>): Promise<void>;
  /** Makes the schedulers that are missing. Those that are there are left alone. */
  restore(due: ReadonlyMap<string, number>): Promise<void>;
  /** How many job schedulers there are. */
  schedulers(): Promise<number>;
  /** Has a policy's scheduler ask anew when it is due. */
  reschedule(policy: string): Promise<void>;
  /**
   * Removes jobs that are over, and that somebody else had the queue keep: one bounded step.
   * keyturn's own are removed when they are over, and BullMQ trims its events by itself.
   */
  prune(): Promise<void>;
  /** How many workers are up. */
  workers(): Promise<number>;
  /** Starts a worker in this process. */
  work(handlers: JobHandlers): Promise<QueueWorker>;
  close(): Promise<void>;
}

/** A worker that takes jobs of the queue. */
export interface QueueWorker {
  /** Has it run so many jobs beside those of rotations: each sink has one at most. */
  keepRoomFor(deliveries: number): void;
  close(): Promise<void>;
}

export interface QueuedRotation {
  readonly id: string;
  readonly policy: string;
}
