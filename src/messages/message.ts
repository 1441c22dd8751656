import type { Fact } from '../facts/fact.ts';

/** Makes one line of a fact, for a message that quotes another. */
export type Tell = (fact: Fact) => string;

/** Parts of another fact, for a message that quotes it. */
export interface Quote {
  /** What is the case, without a remedy. */
  readonly text: Tell;
  /** What is the case, and all remedies but SQL. */
  readonly words: Tell;
  readonly advice: (fact: Fact) => string | undefined;
}

/** The English of one code. */
export interface Message<Params> {
  /** What is the case. No remedy, and no full stop at its end. */
  readonly text: (params: Params, tell: Tell, quote: Quote) => string;
  /** What to do about it, where words say it best; the remedies of a fact come after it. */
  readonly advice?: string | ((params: Params, quote: Quote) => string | undefined);
  /** What the code means and when it comes up, for docs/messages.md. Full sentences. */
  readonly means: string;
  /** Parameters as they may be, for docs/messages.md. */
  readonly example: Params;
}

/** One entry for each code of an area. */
export type Messages<Area> = { readonly [Code in keyof Area]: Message<Area[Code]> };
