import type { Fact } from './fact.ts';

/** Where something is written. Without line and column: the file or folder as a whole. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

/** A fact about one entry of the configuration: a problem, or a warning. */
export interface Problem extends Place {
  /** Such as `policies.orders-api.publish[0].store`; empty where no entry is concerned. */
  readonly path: string;
  readonly fact: Fact;
}

/**
 * A value as messages may name it: as it was written, or by the parameter of the URL that says it.
 * `hidden`: it may hold a credential, so nothing of it is shown.
 */
export type Shown =
  | { readonly kind: 'written'; readonly text: string | number | boolean | null }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'hidden' };

/** What kept a file from being read. */
export type FileFault =
  | { readonly reason: 'absent' | 'forbidden' | 'folder' | 'special' | 'not-utf8' | 'empty' }
  | { readonly reason: 'too-large'; readonly kibibytes: number }
  | { readonly reason: 'other'; readonly detail: string };
