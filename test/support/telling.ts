import type { Fact } from '../../src/facts/fact.ts';
import { tell } from '../../src/messages/tell.ts';

/** In an expectation: a fact whose message contains a text, or matches. */
export function telling(text: string | RegExp): unknown {
  return {
    asymmetricMatch(told: Fact | null | undefined): boolean {
      if (!told) return false;
      const message = tell(told);
      return typeof text === 'string' ? message.includes(text) : text.test(message);
    },
    toString: () => 'telling',
    toAsymmetricMatcher: () => `telling ${String(text)}`,
  };
}
