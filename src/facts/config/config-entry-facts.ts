import type { Shown } from '../problem.ts';
import type { ConfigRule } from './config-rules.ts';

/** What stands where something else must stand. */
export type Found =
  | { readonly kind: 'mapping' | 'list' | 'empty' }
  | { readonly kind: 'entries'; readonly count: number }
  | { readonly kind: 'not-text'; readonly type: string }
  | { readonly kind: 'value'; readonly value: Shown };

/** About entries that break the schema, and names that stand for nothing. */
export interface ConfigEntryFacts {
  readonly 'config-key-unknown': {
    readonly key: string;
    readonly near?: string;
    readonly known: readonly string[];
  };
  readonly 'config-entry-missing': { readonly rule: ConfigRule; readonly allowed?: readonly string[] };
  readonly 'config-entry-invalid': {
    readonly found: Found;
    readonly rule: ConfigRule;
    /** The values that `one-of` allows. */
    readonly allowed?: readonly string[];
    readonly near?: string;
  };
  readonly 'config-name-invalid': { readonly name: string };
  readonly 'config-reference-unknown': {
    readonly kind: 'connection' | 'policy' | 'store';
    readonly value: Shown;
    readonly near?: string;
    readonly known: readonly string[];
  };
}
