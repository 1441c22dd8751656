import type { ReplicaInfo } from '../database/server-facts.ts';
import type { Fact } from '../fact.ts';

/** About whether a login works. */
export interface ProofFacts {
  readonly 'password-refused': { readonly login: string; readonly cause: Fact };
  /** The server let the login in without asking for its password. */
  readonly 'login-not-proven': { readonly server: string; readonly login: string };
  readonly 'current-user-differs': {
    readonly login: string;
    readonly currentUser: string;
    readonly expected: string;
    readonly owner: string | null;
  };
  readonly 'verify-statement-failed': { readonly statement: string; readonly cause: Fact };
  readonly 'published-password-altered': {
    readonly destination: string;
    readonly mayGoBack: boolean;
    readonly cause: Fact;
  };
  readonly 'published-login-dropped': {
    readonly destination: string;
    readonly login: string;
    readonly outgoing: string | null;
  };
  readonly 'password-set-again': {
    readonly login: string;
    readonly destination: string;
    /** Clauses of ALTER ROLE. */
    readonly repairs: readonly string[];
  };
  /** What a destination publishes is refused, or could not be tried. */
  readonly 'published-fails': {
    readonly destination: string;
    readonly login: string;
    readonly server: string;
    readonly cause: Fact;
  };
  /** A slot has to wait, since a connection leads to another server than before. */
  readonly 'check-waiting-for-probes': { readonly server: string };
  /** A login uses nearly all sessions that its CONNECTION LIMIT lets it have. */
  readonly 'connection-limit-near': {
    readonly login: string;
    readonly sessions: number;
    readonly limit: number;
  };
  readonly 'credential-broken': { readonly cause: Fact };
  readonly 'credential-restored': Record<string, never>;
  readonly 'credential-healed': Record<string, never>;
  readonly 'credential-not-healed': { readonly cause: Fact };
  readonly 'rotator-password-unknown': {
    readonly policy: string;
    readonly destination: string;
    readonly cause: Fact;
  };
  readonly 'rotator-passwords-refused': {
    readonly server: string;
    readonly policy: string;
    readonly destination: string;
    readonly connection: string;
  };
  readonly 'replica-refuses-rotator-passwords': {
    /** Left out: it was not asked as a replica of its primary. */
    readonly replica?: ReplicaInfo;
    readonly server: string;
    readonly policy: string;
    readonly destination: string;
    readonly connection: string;
  };
}
