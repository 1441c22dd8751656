import type { Fact } from '../fact.ts';

/** About what somebody else changed in the stores, and what a rotation does about it. */
export interface OutsideChangeFacts {
  readonly 'primary-emptied': { readonly destination: string; readonly last: PublicationFact };
  /** `username` is null where the secret has none. */
  readonly 'published-username-unknown': {
    readonly username: string | null;
    readonly logins: readonly string[];
  };
  readonly 'published-username-not-rotator': {
    readonly username: string | null;
    readonly rotator: string;
  };
  readonly 'primary-changed': { readonly destination: string; readonly last: PublicationFact };
  /** `refusal` says why the login is refused. */
  readonly 'primary-changed-and-refused': {
    readonly destination: string;
    readonly last: PublicationFact;
    readonly login: string;
    readonly refusal: Fact;
  };
  readonly 'published-without-password': { readonly destination: string };
  readonly 'rotator-secret-emptied': { readonly destination: string };
  readonly 'rotator-secret-changed': { readonly destination: string };
  readonly 'destination-empty': { readonly destination: string };
  readonly 'destination-changed': { readonly destination: string };
  readonly 'pending-version-unknown': { readonly destination: string; readonly tokens: readonly string[] };
  readonly 'pending-version-of-open-rotation': {
    readonly destination: string;
    readonly rotation: string;
    readonly policy: string;
  };

  /** `unrevoked`: a published username that is neither login. */
  readonly 'effect-as-first-rotation': { readonly unrevoked: string | null };
  readonly 'effect-counts': { readonly login: string };
  readonly 'effect-other-login': { readonly incoming: string; readonly outgoing: string };
  readonly 'effect-fills': Record<never, never>;
  readonly 'effect-replaces': Record<never, never>;
  readonly 'effect-discards-pending': Record<never, never>;

  /** A change at which a rotation does not stop; `adopted`: because it was asked to adopt. */
  readonly 'outside-change': { readonly found: Fact; readonly effect: Fact; readonly adopted: boolean };
  /** Changes at which a rotation stops unless it adopts them. */
  readonly 'outside-changes-stop': {
    readonly changes: readonly { readonly found: Fact; readonly effect: Fact }[];
  };
}

/** The rotation of this ledger that published last, and when it ended. */
export interface PublicationFact {
  readonly rotation: string;
  readonly endedAt: string;
}
