import type { EmbeddedFacts } from './embedded-facts.ts';

/** About the state database, the ledger, the queue and the embedded server. */
export interface StateFacts extends EmbeddedFacts {
  /** What an earlier release wrote into the ledger, when it stored sentences. */
  readonly recorded: { readonly text: string };
  /** An error that is not ours. */
  readonly unexpected: { readonly text: string };
}
