import { expect, test } from 'vitest';
import type { FactCode } from '../../src/facts/fact.ts';
import { isTransientCode } from '../../src/facts/transient.ts';
import { storeMessages } from '../../src/messages/store-messages.ts';

test('a fault of a store is tried again if it may pass by itself, and else is not', () => {
  // The keys of the table are the codes of a store's facts.
  const codes = Object.keys(storeMessages) as FactCode[];
  expect(codes.filter(isTransientCode).sort()).toEqual([
    'folder-contended',
    'folder-unusable',
    'secret-contended',
    'secret-versions-exhausted',
    'store-answer-invalid',
    'store-module-failed',
    'store-module-too-slow',
    'store-throttled',
    'store-unreachable',
    'vault-sealed',
    'version-conflict',
    'version-removed',
  ]);
});
