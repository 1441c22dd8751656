import { expect } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { tell } from '../../src/messages/tell.ts';

/** In an expectation: a fact whose message contains a text, or matches, and that has these parts. */
export function telling(text: string | RegExp, parts: object = {}): unknown {
  return {
    asymmetricMatch(told: Fact | null | undefined): boolean {
      if (!told) return false;
      const message = tell(told);
      return (
        (typeof text === 'string' ? message.includes(text) : text.test(message)) && hasParts(told, parts)
      );
    },
    toString: () => 'telling',
    toAsymmetricMatcher: () => `telling ${String(text)}`,
  };
}

function hasParts(told: Fact, parts: object): boolean {
  try {
    expect(told).toMatchObject(parts);
    return true;
  } catch {
    return false;
  }
}
