import { Cron } from 'croner';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { nextCronSlot } from '../../src/schedule/cron-slot.ts';
import { nextSlot, nextSlots } from '../../src/schedule/next-slot.ts';
import { at, cron, DAY, localSlots, MINUTE, policy } from './schedules.ts';

// Every change of these clocks is a multiple of it, so a quarter of an hour is as fine as this has to look.
const STEP = 15 * MINUTE;

const changes = [
  ['Europe/Berlin', '2027-03-28'],
  ['Europe/Berlin', '2027-10-31'],
  ['America/New_York', '2027-03-14'],
  ['America/New_York', '2027-11-07'],
  ['Australia/Lord_Howe', '2027-04-04'],
  ['Australia/Lord_Howe', '2027-10-03'],
  ['Asia/Kathmandu', '2027-03-28'],
  ['America/Sao_Paulo', '2027-10-17'],
  // The last time that its clock changed: at midnight.
  ['America/Sao_Paulo', '2018-02-18'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['UTC', '2027-03-28'],
  ['America/Nuuk', '2027-03-28'],
  ['America/Nuuk', '2027-10-31'],
  ['Africa/Cairo', '2027-04-30'],
  ['Africa/Cairo', '2027-10-29'],
  // It left out a whole date.
  ['Pacific/Apia', '2011-12-30'],
] as const;

const expressions = [
  '*/15 * * * *',
  '0 * * * *',
  '30 2 * * *',
  '30 23 * * *',
  '15 0 * * *',
  '30 2,3 * * *',
  '0,45 0-3 * * *',
  '0 */5 * * *',
];

describe('Around a change of the clock', () => {
  it.each(changes)('%s in the days about %s runs what walking the clock step by step gives', (zone, date) => {
    const from = at(`${date}T00:00Z`) - DAY;
    const until = from + 3 * DAY;
    for (const expression of expressions) {
      const expected = slotsByWalking(expression, zone, from, until);
      expect([...slotsBetween(expression, zone, from, until)], expression).toEqual(expected);
      for (let after = from + 1; after < until - 2 * DAY; after += 7 * STEP) {
        expect(nextCronSlot(expression, zone, after)).toBe(expected.find((slot) => slot > after));
      }
    }
  });
});

describe('A cron', () => {
  it('runs once at an instant where a time that was moved meets one that exists', () => {
    expect(localSlots(cron('30 2,3 * * *', 'Europe/Berlin'), '2027-03-28T00:00Z', 3)).toEqual([
      '2027-03-28T03:30+02:00',
      '2027-03-29T02:30+02:00',
      '2027-03-29T03:30+02:00',
    ]);
  });

  it('runs a time that was moved in its turn among those that exist', () => {
    expect(localSlots(cron('0,45 2,3 * * *', 'Europe/Berlin'), '2027-03-28T00:00Z', 3)).toEqual([
      '2027-03-28T03:00+02:00',
      '2027-03-28T03:45+02:00',
      '2027-03-29T02:00+02:00',
    ]);
    expect(localSlots(cron('15 2,4 * * *', 'Europe/Berlin'), '2027-03-28T01:10Z', 2)).toEqual([
      '2027-03-28T03:15+02:00',
      '2027-03-28T04:15+02:00',
    ]);
  });

  it('runs times of an hour that repeats in its first pass only, wherever it is asked from', () => {
    const halfHourly = cron('*/30 * * * *', 'Europe/Berlin');
    const expected = ['2027-10-31T02:30+02:00', '2027-10-31T03:00+01:00', '2027-10-31T03:30+01:00'];
    expect(localSlots(halfHourly, '2027-10-31T00:00Z', 3)).toEqual(expected);
    expect(localSlots(halfHourly, '2027-10-31T01:10Z', 2)).toEqual(expected.slice(1));
    expect(localSlots(cron('* * * * * *', 'Europe/Berlin'), '2027-10-31T01:10Z', 1)).toEqual([
      '2027-10-31T03:00+01:00',
    ]);
  });

  it.each<[string, string, string[]]>([
    [
      '30 2 31 * *',
      '2027-01-31T12:00Z',
      ['2027-03-31', '2027-05-31', '2027-07-31', '2027-08-31', '2027-10-31', '2027-12-31'],
    ],
    ['30 2 L * *', '2027-12-31T12:00Z', ['2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30']],
    ['30 2 29 2 *', '2027-01-01T00:00Z', ['2028-02-29', '2032-02-29', '2036-02-29']],
    ['0 30 2 1 1 *', '2027-06-01T00:00Z', ['2028-01-01', '2029-01-01']],
    ['30 2 15W * *', '2027-05-01T00:00Z', ['2027-05-14', '2027-06-15', '2027-07-15']],
    ['30 2 LW * *', '2027-10-01T00:00Z', ['2027-10-29', '2027-11-30']],
    ['30 2 * * MON#1', '2027-01-31T00:00Z', ['2027-02-01', '2027-03-01', '2027-04-05']],
    ['30 2 * * FRI#L', '2027-01-31T00:00Z', ['2027-02-26', '2027-03-26']],
  ])('%s names the right dates after %s', (expression, after, dates) => {
    for (const zone of ['Europe/Berlin', 'America/Sao_Paulo']) {
      const found = localSlots(cron(expression, zone), after, dates.length).map((slot) => slot.slice(0, 16));
      const isMoved = (date: string) => zone === 'Europe/Berlin' && date === '2027-03-28';
      expect(found).toEqual(dates.map((date) => `${date}T${isMoved(date) ? '03' : '02'}:30`));
    }
  });

  it('counts seconds where it has six fields', () => {
    const slot = nextSlot(cron('*/20 * * * * *'), { policy, after: at('2027-01-01T00:00:20Z') });
    expect(slot).toBe(at('2027-01-01T00:00:40Z'));
  });

  it('is not moved by a manual rotation', () => {
    const slots = localSlots(cron('30 2 1 * *'), '2027-01-10T12:00Z', 1, '2027-01-10T12:00Z');
    expect(slots).toEqual(['2027-02-01T02:30+00:00']);
  });

  it('that names no date at all has no slot', () => {
    expect(nextSlot(cron('0 0 31 2 *'), { policy, after: 0 })).toBeUndefined();
    expect(nextSlots(cron('0 0 31 2 *'), { policy, after: 0 }, 3)).toEqual([]);
  });
});

function* slotsBetween(expression: string, zone: string, from: number, until: number) {
  for (let slot = from; ; ) {
    const next = nextCronSlot(expression, zone, slot);
    if (next === undefined || next >= until) return;
    yield next;
    slot = next;
  }
}

/** The rules of daylight saving, by looking at the wall clock at every step: the first time, and past each jump. */
function slotsByWalking(expression: string, zone: string, from: number, until: number): number[] {
  const pattern = new Cron(expression, { timezone: 'UTC' });
  const shown = new Set<number>();
  const slots = new Set<number>();
  let expected: number | undefined;
  for (let instant = from - 2 * DAY; instant < until; instant += STEP) {
    const wall = instant + DateTime.fromMillis(instant, { zone }).offset * MINUTE;
    for (let left = expected ?? wall; left < wall; left += STEP) {
      if (pattern.match(new Date(left))) slots.add(instant + left - (expected ?? wall));
    }
    if (!shown.has(wall) && pattern.match(new Date(wall))) slots.add(instant);
    shown.add(wall);
    expected = wall + STEP;
  }
  return [...slots].filter((slot) => slot > from && slot < until).sort((a, b) => a - b);
}
