import type { MissingRight } from '../database/missing-right.ts';

/**
 * About a server on which logins are rotated, and the rotator's rights there. A `server` is
 * `host:port`.
 */
export interface CheckServerFacts {
  readonly 'server-is-pooler': { readonly server: string };
  readonly 'server-is-standby': { readonly server: string };
  /** `version` is the major one. */
  readonly 'server-too-old': { readonly version: number };
  readonly 'replica-not-standby': { readonly replica: string; readonly connection: string };
  readonly 'replica-of-another-server': {
    readonly replica: string;
    readonly connection: string;
    /** The server that it should follow, and the system identifiers of both. */
    readonly server: string;
    readonly expected: string;
    readonly found: string;
  };
  readonly 'rotator-lacks-privileges': {
    readonly rotator: string;
    readonly missing: readonly MissingRight[];
  };
  readonly 'rotator-not-proven': { readonly server: string };
  /**
   * `statement` makes another login for the state database; its password is left to whoever runs
   * it.
   */
  readonly 'rotator-is-state-login': { readonly server: string; readonly statement: string };
  readonly 'rotator-has-replication': { readonly rotator: string };
}
