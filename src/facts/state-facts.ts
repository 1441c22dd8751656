/** About the state database, the ledger, the queue and the embedded server. */
export interface StateFacts {
  /** What an earlier release wrote into the ledger, when it stored sentences. */
  readonly recorded: { readonly text: string };
  /** An error that is not ours. */
  readonly unexpected: { readonly text: string };
  /** The embedded PostgreSQL ended while in use, and is started again. */
  readonly 'embedded-ended': Record<string, never>;
  readonly 'embedded-runs-again': Record<string, never>;
}
