import type { Fact } from '../fact.ts';

/**
 * What an event says. The ledger writes these by itself (src/ledger/migrations/events.ts), so that
 * table and this one have to agree. `credential-broken` and `credential-restored` are in
 * proof-facts.ts.
 */
export interface HappenedFacts {
  readonly 'rotation-started': { readonly rotation: string; readonly reason: string; readonly by: string };
  readonly 'rotation-published': {
    readonly rotation: string;
    /** The login that consumers read from now on. */
    readonly login: string | null;
    /** Whether the rotation was rolled back, so that it is the login of before. */
    readonly isBack: boolean;
  };
  readonly 'rotation-drained': {
    readonly rotation: string;
    /** The login that is revoked next. */
    readonly login: string | null;
  };
  readonly 'rotation-completed': {
    readonly rotation: string;
    readonly incoming: string | null;
    readonly outgoing: string | null;
  };
  /** The rotation is over without success. */
  readonly 'rotation-ended': { readonly rotation: string; readonly cause: Fact | null };
  /** The rotation failed several times in a row, and is retried. */
  readonly 'rotation-keeps-failing': {
    readonly rotation: string;
    readonly attempts: number;
    readonly cause: Fact | null;
  };
  readonly 'rotation-works-again': { readonly rotation: string };
  readonly 'rotation-overdue': { readonly slot: string };
  readonly 'credential-created': { readonly logins: readonly string[] };
  /** Logins that were dropped, or shut out where something still depends on them. */
  readonly 'credential-deleted': { readonly logins: readonly string[] };
  /** Somebody wants to see that a sink works. */
  readonly 'event-test': { readonly sink: string };
}
