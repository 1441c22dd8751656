import type { Fact } from '../../facts/fact.ts';

/**
 * Brings the roles of a policy nearer to what they must be: complete SQL, and the rights that it
 * takes.
 */
export interface Change {
  /** Such as `create-role`. */
  readonly does: Fact;
  /** One statement, or several that belong together; quoted, and without the last semicolon. */
  readonly sql: string;
  /**
   * Roles whose rights it takes, such as the owner of a table. Left out: the rotator's own are
   * enough.
   */
  readonly rights?: readonly string[];
  /** Roles that it makes others members of. */
  readonly administers?: readonly string[];
  /**
   * The right that an administrator can give the rotator instead. `remedy` takes the quoted
   * rotator.
   */
  readonly instead?: { readonly right: Fact; readonly remedy: (to: string) => string };
}
