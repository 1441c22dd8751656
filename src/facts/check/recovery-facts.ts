import type { Fact } from '../fact.ts';
import type { PublicationFact } from './outside-change-facts.ts';

/** About a ledger or a store that was lost or restored from a backup, and what becomes of it. */
export interface RecoveryFacts {
  /** The primary publishes again what an earlier rotation of the policy published. */
  readonly 'primary-older': {
    readonly destination: string;
    readonly rotation: string;
    readonly last: PublicationFact;
  };
  /** The same, and PostgreSQL refuses it: `refusal` says why. */
  readonly 'primary-older-and-refused': {
    readonly destination: string;
    readonly rotation: string;
    readonly last: PublicationFact;
    readonly login: string;
    readonly refusal: Fact;
  };
  /** The ledger has published nothing yet, and something is published. */
  readonly 'publication-unknown': { readonly destination: string; readonly version: string };
  /**
   * The ledger does not know what is published, and the other login can still log in. `sessions`
   * are those of the other login.
   */
  readonly 'publication-unfinished': {
    readonly destination: string;
    readonly version: string;
    readonly outgoing: string;
    readonly sessions: number;
  };
  readonly 'effect-refused-login': { readonly incoming: string; readonly outgoing: string };
  readonly 'effect-goes-on': { readonly rotation: string; readonly outgoing: string };

  /**
   * The ledger was lost or restored from a backup: it has this publication from the store. `last`
   * is what it knew before; null: nothing.
   */
  readonly 'publication-recovered': {
    readonly destination: string;
    readonly version: string;
    readonly last: PublicationFact | null;
  };
  /** The same, and the rotation goes on: its outgoing login is not revoked yet. */
  readonly 'rotation-recovered': {
    readonly destination: string;
    readonly version: string;
    readonly outgoing: string;
    readonly last: PublicationFact;
  };
}
