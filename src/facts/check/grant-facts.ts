import type { GrantDifferenceInfo } from '../database/login-difference.ts';

/** About what one of a policy's logins may do, or owns, and the other does not. */
export interface GrantFacts {
  /** What was granted to one login, and not to the other. */
  readonly 'grants-differ': {
    readonly database: string;
    readonly grants: readonly GrantDifferenceInfo[];
  };
  /**
   * Each `statement` makes a mapping for the other login, but for the options: they may hold a
   * password.
   */
  readonly 'user-mappings-differ': {
    readonly database: string;
    readonly mappings: readonly {
      readonly login: string;
      readonly server: string;
      readonly statement: string;
    }[];
  };
  readonly 'login-owns-objects': {
    readonly login: string;
    readonly other: string | null;
    readonly owned: readonly OwnedObjectsFact[];
    readonly owner: string | null;
    /** Hands them over, to be run in each database. */
    readonly statement: string;
  };
}

/** Objects of one database, or with null those of the whole cluster, and the names of some. */
export interface OwnedObjectsFact {
  readonly database: string | null;
  readonly count: number;
  readonly examples: readonly string[];
}
