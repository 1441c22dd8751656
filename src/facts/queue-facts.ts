import type { HolderInfo } from './database/session-info.ts';
import type { Fact } from './fact.ts';

/**
 * A queue that does not answer, or refuses. `server` is `host:port`, of each sentinel or node that
 * is configured; `detail` is what the client said, if anything.
 */
interface QueueFault {
  readonly server: string;
  readonly detail?: string;
}

/** About the queue, its clients and its jobs. */
export interface QueueFacts {
  readonly 'queue-unreachable': QueueFault & { readonly tls: boolean };
  /** The queue is in the state database. */
  readonly 'queue-database-unreachable': QueueFault;
  readonly 'queue-login-refused': QueueFault;
  readonly 'queue-tls-failed': QueueFault;
  /** Redis answers, but takes no change: out of memory, a replica, a full disk, still loading. */
  readonly 'queue-takes-no-job': QueueFault;
  /** A sentinel knows no primary of that name. */
  readonly 'queue-primary-unknown': { readonly server: string; readonly name: string };
  /** A node that a sentinel or the cluster announced is beyond loopback, and TLS is off. */
  readonly 'queue-node-in-plaintext': { readonly server: string };
  /** BullMQ's tables in the state database cannot be made or updated: somebody holds their lock. */
  readonly 'queue-tables-locked': { readonly holders: readonly HolderInfo[]; readonly seconds: number };
  /** A client of BullMQ lost its server, and connects anew by itself. */
  readonly 'queue-client-failed': {
    readonly client: 'queue' | 'worker';
    readonly detail: string;
    /** Where it is a fault of ours. */
    readonly cause?: Fact;
  };
  readonly 'job-failed': { readonly job: string; readonly cause: Fact };
  /** What a worker does by itself every minute. */
  readonly 'worker-turn-failed': { readonly cause: Fact };
  /** Whether a rotation of the policy is due could not be told. */
  readonly 'due-unknown': { readonly cause: Fact };
  /** Nothing of keyturn's queues jobs with this name. */
  readonly 'job-unknown': Record<string, never>;
  readonly 'job-without-rotation': Record<string, never>;
}
