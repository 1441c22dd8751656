import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { MESSAGES } from '../../src/messages/messages.ts';
import { adviceOf, tell, textOf } from '../../src/messages/tell.ts';

const CODES = Object.entries(MESSAGES).map(([code, { example }]) => ({ code, params: example }) as Fact);

describe.each(CODES)('the message of $code', (fact) => {
  test('has a text, an explanation, and no parameter that is missing', () => {
    expect(MESSAGES[fact.code].means).toMatch(/^[A-Z`].*\.$/s);
    for (const text of [textOf(fact), adviceOf(fact) ?? '', tell(fact)]) {
      expect(text).not.toMatch(/undefined|null|\[object|NaN/);
    }
    expect(textOf(fact)).not.toBe('');
  });

  test('has a code in kebab-case', () => {
    expect(fact.code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
  });
});
