import type { Fact } from '../facts/fact.ts';

/** What became of sending one event to a sink. */
export type Attempt =
  | { readonly isDelivered: true }
  | {
      readonly isDelivered: false;
      readonly fact: Fact;
      /**
       * Whether the sink itself is away, so that other events need not be tried now; else it may be
       * this event.
       */
      readonly isSinkAway: boolean;
      /** Whether the receiver wants it never again. */
      readonly isFinal?: true;
      /** How long the receiver asks to be left alone, in milliseconds. */
      readonly retryAfter?: number;
    };

export const DELIVERED: Attempt = { isDelivered: true };

/** The sink is away. */
export function away(fact: Fact, retryAfter?: number): Attempt {
  return { isDelivered: false, fact, isSinkAway: true, ...(retryAfter === undefined ? {} : { retryAfter }) };
}
