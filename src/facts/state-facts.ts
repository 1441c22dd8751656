import type { EmbeddedFacts } from './database/embedded-facts.ts';
import type { HolderInfo } from './database/session-info.ts';

/** About the state database, the ledger, the queue and the embedded server. */
export interface StateFacts extends EmbeddedFacts {
  /** What an earlier release wrote into the ledger, when it stored sentences. */
  readonly recorded: { readonly text: string };
  /** An error that is not ours. */
  readonly unexpected: { readonly text: string };
  /** The embedded PostgreSQL ended while in use, and is started again. */
  readonly 'embedded-ended': Record<string, never>;
  readonly 'embedded-runs-again': Record<string, never>;
  readonly 'rotation-open-already': {
    readonly policy: string;
    /** Null where it ended before it could be read. */
    readonly rotation: {
      readonly id: string;
      readonly requestedAt: string;
      readonly requestedBy: string;
      readonly publishedAt: string | null;
    } | null;
  };
  /** The clocks differ too much to open a rotation. */
  readonly 'clock-wrong': { readonly machine: string; readonly database: string };
  /** Milliseconds that this machine is ahead. */
  readonly 'clock-differs': { readonly ahead: number; readonly refuses: boolean };
  readonly 'instant-in-future': { readonly at: string };
  readonly 'ledger-newer': { readonly version: number; readonly known: number };
  readonly 'ledger-tables-locked': { readonly holders: readonly HolderInfo[]; readonly seconds: number };
  readonly 'state-schema-shared': { readonly schema: string; readonly role: string | null };
  readonly 'state-schema-intruded': {
    readonly schema: string;
    readonly role: string | null;
    readonly object: string;
  };
  readonly 'state-tables-forbidden': {
    readonly schema: string;
    readonly detail: string;
    /** Whether the schema belongs to another role, so that no grant on the database would do. */
    readonly isForeign: boolean;
  };
  /** Null where nothing was refused yet. */
  readonly 'state-read-only': { readonly server: string | null; readonly detail: string | null };
  readonly 'state-fault': { readonly detail: string };
}
