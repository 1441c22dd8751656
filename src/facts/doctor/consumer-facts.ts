import type { Fact } from '../fact.ts';

/** About what consumers read, and whether it works for them. */
export interface ConsumerFacts {
  readonly 'store-writable': { readonly destination: string };
  readonly 'store-secrets-not-made': { readonly destination: string };
  readonly 'nothing-published-yet': { readonly destination: string };
  readonly 'published-logs-in': {
    readonly destination: string;
    readonly login: string;
    readonly server: string;
  };
  readonly 'published-verifier-fits': PublishedVerifier;
  readonly 'published-verifier-differs': PublishedVerifier;
  readonly 'published-not-proven': { readonly login: string; readonly server: string };
  readonly 'published-asks-md5': { readonly login: string; readonly server: string };
  readonly 'published-refused': { readonly destination: string; readonly cause: Fact };
  /** The server, the database or the login has no connection left. */
  readonly 'published-finds-no-connection': { readonly destination: string; readonly cause: Fact };
  /**
   * PostgreSQL refuses its password, or the login: a rotation gives consumers a login that works.
   */
  readonly 'published-login-refused': {
    readonly destination: string;
    readonly cause: Fact;
    readonly wayOut: WayOut;
    /** The rotation that is open, if one is. */
    readonly rotation: string | null;
  };
  /** Milliseconds. */
  readonly 'grace-shorter-than-cache': { readonly policy: string; readonly grace: number };
  readonly 'grace-zero': { readonly policy: string };
  readonly 'grace-not-verifiable': { readonly grace: number; readonly aws: boolean };
}

/**
 * How consumers get a login that works.
 *
 * - `rotate-rotator`: rotate, and the rotator has a password that is published
 * - `restore-or-rotate`: make the same credential work again, or rotate
 * - `rotate`: rotate, and the other login takes over
 * - `end-then-adopt`: end the open rotation, then rotate and adopt what is published
 * - `wait`: the open rotation has the other login take over, at once with an emergency
 * - `roll-back`: go back to the login of before, or end the drain
 * - `end-drain`: end the drain, before which the password is set again
 */
export type WayOut =
  | 'rotate-rotator'
  | 'restore-or-rotate'
  | 'rotate'
  | 'end-then-adopt'
  | 'wait'
  | 'roll-back'
  | 'end-drain';

/** A destination that publishes a verifier, and no password. */
interface PublishedVerifier {
  readonly destination: string;
  readonly login: string;
  readonly primary: string;
}
