import type { Fact } from '../fact.ts';

/** Why a rotation does not begin, or does not go on. */
export interface RefusalFacts {
  readonly 'check-refused': { readonly findings: readonly Fact[] };
  readonly 'window-over': { readonly slot: string; readonly end: string };
  /** `outgoing` is null where no login goes out. */
  readonly 'published-version-replaced': {
    readonly destination: string;
    readonly publishedAt: string;
    readonly outgoing: string | null;
  };
}
