import type { Fact } from '../fact.ts';

/** Why a rotation does not begin, or does not go on. */
export interface RefusalFacts {
  readonly 'check-refused': { readonly findings: readonly Fact[] };
}
