import { expect, it } from 'vitest';
import { calendarOf } from '../../src/schedule/calendar.ts';
import { nextSlots } from '../../src/schedule/next-slot.ts';
import { at, everyDays, everyInterval, HOUR, MINUTE } from './schedules.ts';

const after = at('2027-03-01T00:00Z');

it('has the slots of all policies in their order, each as the policy alone would have it', () => {
  const sources = [
    { schedule: everyDays(1, '02:30'), context: { policy: 'daily' } },
    { schedule: everyInterval(7 * HOUR), context: { policy: 'often' } },
    { schedule: everyDays(7, '12:00', 'Asia/Kathmandu'), context: { policy: 'weekly' } },
  ];
  const { entries } = calendarOf(sources, after, 50);
  expect(entries).toHaveLength(50);
  expect(entries.map(({ slot }) => slot)).toEqual(entries.map(({ slot }) => slot).sort((a, b) => a - b));
  for (const { schedule, context } of sources) {
    const own = entries.filter(({ policy }) => policy === context.policy).map(({ slot }) => slot);
    expect(own).toEqual(nextSlots(schedule, { ...context, after }, own.length));
  }
});

const fleet = (size: number, jitter: number) =>
  Array.from({ length: size }, (_, index) => ({
    schedule: everyDays(1, '02:30', 'UTC', { jitter }),
    context: { policy: `policy-${index}` },
  }));

it('warns where more start within a minute than one worker runs, also of those beyond the count', () => {
  const { entries, crowds } = calendarOf(fleet(100, 0), after, 5);
  expect(entries).toHaveLength(5);
  expect(crowds.map(({ length }) => length)).toEqual([100]);
  expect(calendarOf(fleet(8, 0), after, 20).crowds).toEqual([]);
});

it('has no crowd where jitter spreads them', () => {
  expect(calendarOf(fleet(100, 60 * MINUTE), after, 100).crowds).toEqual([]);
});
