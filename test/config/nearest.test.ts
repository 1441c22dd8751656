import { expect, test } from 'vitest';
import { nearest } from '../../src/config/schema/nearest.ts';

test.each([
  ['polcies', 'policies'],
  ['autorotate', 'autoRotate'],
  ['usr', 'user'],
  ['drian', 'drain'],
  ['sue', 'use'],
])('%s most likely means %s', (word, meant) => {
  expect(nearest(word, ['user', 'policies', 'autoRotate', 'stores', 'drain', 'use'])).toBe(meant);
});

test('nothing is suggested that is far off', () => {
  expect(nearest('colour', ['user', 'policies', 'autoRotate', 'stores'])).toBeUndefined();
  expect(nearest('', ['user'])).toBeUndefined();
  expect(nearest('user', [])).toBeUndefined();
});
