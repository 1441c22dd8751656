import { expect, test } from 'vitest';
import { isTransientCode } from '../../src/facts/transient.ts';
import { MESSAGES } from '../../src/messages/messages.ts';
import { STORE_ERROR_KINDS, type StoreFaultCode, storeError } from '../../src/secret-store/store-error.ts';

const CODES = Object.keys(STORE_ERROR_KINDS) as StoreFaultCode[];

test.each(CODES)('%s is tried again if its kind may pass by itself, and else is not', (code) => {
  const { kind } = storeError(code, MESSAGES[code].example);
  expect(isTransientCode(code)).toBe(['unreachable', 'throttled', 'conflict'].includes(kind));
});
