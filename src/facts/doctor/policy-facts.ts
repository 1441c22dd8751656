import type { Fact } from '../fact.ts';

/** About one policy: whether its logins can be looked at, its schedule, and its last rotation. */
export interface PolicyFacts {
  readonly 'logins-skipped': { readonly connection: string };
  readonly 'logins-alike': Record<never, never>;
  readonly 'rotator-ready': Record<never, never>;
  readonly 'privileges-sufficient': Record<never, never>;
  readonly 'logins-own-nothing': Record<never, never>;

  /**
   * Logins without a limit could take every connection of the server, and the rotator has none
   * reserved.
   */
  readonly 'connections-can-be-exhausted': {
    readonly logins: readonly string[];
    readonly connections: number;
    readonly rotator: string;
    readonly because: 'unsupported' | 'none-reserved' | 'not-member';
    /** Lets the rotator use reserved connections; null where PostgreSQL has none. */
    readonly reserve: string | null;
  };
  readonly 'connections-left-for-rotator': Record<never, never>;

  readonly 'incoming-known': { readonly incoming: string; readonly outgoing: string };
  readonly 'incoming-skipped': { readonly because: 'findings' | 'state-down' };
  readonly 'incoming-skipped-while-open': { readonly rotation: string };
  readonly 'connection-limit-in-use': {
    readonly incoming: string;
    readonly outgoing: string;
    readonly limit: number;
  };
  readonly 'unpublished-logins-open': { readonly logins: readonly string[] };

  readonly 'rotates-on-request': Record<never, never>;
  /** `at` is null where no slot ever comes. */
  readonly 'next-slot': { readonly at: string | null };
  /** `by` is null where nobody's name is known. */
  readonly 'policy-paused': { readonly since: string; readonly by: string | null };
  readonly 'slot-overdue': { readonly slot: string };
  readonly 'rotation-stuck': { readonly rotation: string; readonly cause: Fact };
  /** `adopt`: whether the next rotation stops unless it adopts what was changed outside. */
  readonly 'rotation-failed': { readonly at: string | null; readonly cause: Fact; readonly adopt: boolean };
}
