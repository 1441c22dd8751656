import type { Fact } from '../fact.ts';
import type { Problem } from '../problem.ts';

/**
 * About what all policies share: the state database, the queue, workers, this machine's clock,
 * files.
 */
export interface SharedStateFacts {
  readonly 'state-database-ready': Record<never, never>;
  readonly 'state-database-fails': { readonly cause: Fact };
  readonly 'state-database-open-to-public': { readonly database: string };
  readonly 'queue-skipped': { readonly because: 'state-down' | 'state-read-only' };
  readonly 'workers-running': { readonly workers: number };
  /** A warning of the configuration, with its place. */
  readonly 'configuration-exposed': { readonly problem: Problem };
}
