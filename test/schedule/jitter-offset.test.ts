import { describe, expect, it } from 'vitest';
import { jitterOffset } from '../../src/schedule/jitter-offset.ts';
import { nextSlots } from '../../src/schedule/next-slot.ts';
import { at, everyDays, MINUTE } from './schedules.ts';

describe('Jitter', () => {
  it('spreads 10,000 policies evenly', () => {
    const bins = new Array<number>(10).fill(0);
    for (let policy = 0; policy < 10_000; policy++) {
      const bin = Math.floor(jitterOffset(`policy-${policy}`, 10 * MINUTE) / MINUTE);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // Chi-squared with nine degrees of freedom: 27.9 leaves one chance in a thousand.
    expect(bins.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(27.9);
  });

  it('is the same every time, and never as large as its bound', () => {
    for (const policy of ['orders-api', 'billing', 'a']) {
      const offset = jitterOffset(policy, 10 * MINUTE);
      expect(jitterOffset(policy, 10 * MINUTE)).toBe(offset);
      expect(Number.isInteger(offset)).toBe(true);
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThan(10 * MINUTE);
      expect(jitterOffset(policy, 1)).toBe(0);
    }
  });

  it('is nothing where a schedule has none', () => {
    expect(jitterOffset('orders-api')).toBe(0);
    expect(jitterOffset('orders-api', 0)).toBe(0);
  });

  it('delays every slot by the same amount, also over a change of the clock', () => {
    const after = at('2027-03-26T12:00Z');
    const policy = 'orders-api';
    const plain = nextSlots(everyDays(1, '02:30', 'Europe/Berlin'), { policy, after }, 4);
    const late = nextSlots(
      everyDays(1, '02:30', 'Europe/Berlin', { jitter: 10 * MINUTE }),
      { policy, after },
      4,
    );
    expect(late).toEqual(plain.map((slot) => slot + jitterOffset(policy, 10 * MINUTE)));
  });
});
