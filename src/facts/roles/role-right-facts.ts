import type { MissingRight } from '../database/missing-right.ts';
import type { Fact } from '../fact.ts';

/** What the rotator may not do, and would have to. */
export interface RoleRightFacts {
  /** All that is missing: `privileges` for rotations too, `rights` for these changes. */
  readonly 'roles-rights-missing': {
    readonly rotator: string;
    readonly privileges: readonly MissingRight[];
    readonly rights: readonly Fact[];
  };
  readonly 'cannot-act-for-superuser': { readonly role: string };
  readonly 'cannot-act-for-role': { readonly role: string };
  /** The rotator is a member that does not inherit. */
  readonly 'cannot-use-rights-of-role': { readonly role: string };
  readonly 'cannot-make-members': { readonly role: string };
  readonly 'cannot-pass-on-privileges': { readonly privileges: readonly string[]; readonly schema: string };
  readonly 'cannot-let-others-connect': { readonly database: string };
}
