import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/values/duration.ts';

test.each([
  ['0s', 0],
  ['90s', 90_000],
  ['5m', 300_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['2w', 1_209_600_000],
])('%s is read as milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', 's', '5', '5 m', '-5m', '1.5h', '05m', '5M', '1d12h', '1000000s', '5ms'])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('a duration that is written out reads as the same one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999 }), fc.constantFrom('s', 'm', 'h', 'd', 'w'), (n, unit) => {
      const milliseconds = parseDuration(`${n}${unit}`) ?? Number.NaN;
      expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
    }),
  );
});
