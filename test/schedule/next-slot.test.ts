import { describe, expect, it } from 'vitest';
import { nextSlot, nextSlots } from '../../src/schedule/next-slot.ts';
import { at, cron, DAY, everyDays, everyInterval, HOUR, localSlots, MINUTE, policy } from './schedules.ts';

describe('Both changes of the clock in 2027', () => {
  // zone, time of day, instant before, the local times that must come, one a date
  const days: [string, string, string, string[]][] = [
    [
      'Europe/Berlin',
      '02:30',
      '2027-03-27T00:00Z',
      ['2027-03-27T02:30+01:00', '2027-03-28T03:30+02:00', '2027-03-29T02:30+02:00'],
    ],
    [
      'Europe/Berlin',
      '02:30',
      '2027-10-30T00:00Z',
      ['2027-10-30T02:30+02:00', '2027-10-31T02:30+02:00', '2027-11-01T02:30+01:00'],
    ],
    [
      'America/New_York',
      '02:30',
      '2027-03-13T06:00Z',
      ['2027-03-13T02:30-05:00', '2027-03-14T03:30-04:00', '2027-03-15T02:30-04:00'],
    ],
    [
      'America/New_York',
      '01:30',
      '2027-11-06T05:00Z',
      ['2027-11-06T01:30-04:00', '2027-11-07T01:30-04:00', '2027-11-08T01:30-05:00'],
    ],
    [
      'Australia/Lord_Howe',
      '02:15',
      '2027-10-01T15:00Z',
      ['2027-10-02T02:15+10:30', '2027-10-03T02:45+11:00', '2027-10-04T02:15+11:00'],
    ],
    [
      'Australia/Lord_Howe',
      '01:45',
      '2027-04-02T14:00Z',
      ['2027-04-03T01:45+11:00', '2027-04-04T01:45+11:00', '2027-04-05T01:45+10:30'],
    ],
    [
      'Asia/Kathmandu',
      '02:30',
      '2027-03-27T00:00Z',
      ['2027-03-28T02:30+05:45', '2027-03-29T02:30+05:45', '2027-03-30T02:30+05:45'],
    ],
    [
      'America/Sao_Paulo',
      '00:30',
      '2027-10-16T00:00Z',
      ['2027-10-16T00:30-03:00', '2027-10-17T00:30-03:00', '2027-10-18T00:30-03:00'],
    ],
    ['UTC', '02:30', '2027-03-28T00:00Z', ['2027-03-28T02:30Z', '2027-03-29T02:30Z', '2027-03-30T02:30Z']],
    ['UTC', '02:30', '2027-10-31T00:00Z', ['2027-10-31T02:30Z', '2027-11-01T02:30Z', '2027-11-02T02:30Z']],
    // Its clock jumps from 23:00 to midnight, so a slot lands on the date after the one it is due on.
    [
      'America/Nuuk',
      '23:30',
      '2027-03-26T12:00Z',
      ['2027-03-26T23:30-02:00', '2027-03-28T00:30-01:00', '2027-03-28T23:30-01:00'],
    ],
  ];

  it.each(days)('leave %s at %s one slot a day after %s', (zone, time, after, expected) => {
    const iso = expected.map((slot) => slot.replace(/Z$/, '+00:00'));
    expect(localSlots(everyDays(1, time, zone), after, 3)).toEqual(iso);
    const [hour, minute] = time.split(':').map(Number);
    expect(localSlots(cron(`${minute} ${hour} * * *`, zone), after, 3)).toEqual(iso);
  });

  it.each(days)(
    'leave the series of %s at %s the same when each slot is the next anchor',
    (zone, time, after) => {
      const schedule = everyDays(1, time, zone);
      const slots = nextSlots(schedule, { policy, after: at(after) }, 5);
      const [first = Number.NaN, ...rest] = slots;
      let anchor = first;
      for (const slot of rest) {
        anchor = nextSlot(schedule, { policy, after: anchor, anchor }) ?? Number.NaN;
        expect(anchor).toBe(slot);
      }
    },
  );
});

describe('Days and weeks', () => {
  it('count from the local date of the slot that was due', () => {
    // 23:59 in New York is the next date in UTC already.
    expect(
      localSlots(everyDays(30, '23:59', 'America/New_York'), '2027-03-02T12:00Z', 2, '2027-03-02T04:59Z'),
    ).toEqual(['2027-03-31T23:59-04:00', '2027-04-30T23:59-04:00']);
  });

  it('pass 29 February and the end of a year', () => {
    expect(localSlots(everyDays(1, '02:30'), '2028-02-28T12:00Z', 2)).toEqual([
      '2028-02-29T02:30+00:00',
      '2028-03-01T02:30+00:00',
    ]);
    expect(
      localSlots(everyDays(14, '02:30', 'Europe/Berlin'), '2027-12-20T12:00Z', 2, '2027-12-20T01:30Z'),
    ).toEqual(['2028-01-03T02:30+01:00', '2028-01-17T02:30+01:00']);
  });

  it('start anew from the local date of a manual rotation, before or after the time of day', () => {
    for (const manual of ['2027-03-10T01:00Z', '2027-03-10T22:00Z']) {
      expect(localSlots(everyDays(30, '02:30', 'Europe/Berlin'), manual, 1, manual)).toEqual([
        '2027-04-09T02:30+02:00',
      ]);
    }
  });

  it('without any rotation fall on the same dates for every worker', () => {
    const monthly = everyDays(30, '02:30', 'Europe/Berlin');
    const [first] = nextSlots(monthly, { policy, after: at('2027-01-01T00:00Z') }, 1);
    for (let day = 0; first !== undefined && at('2027-01-01T00:00Z') + day * DAY < first; day++) {
      expect(nextSlot(monthly, { policy, after: at('2027-01-01T00:00Z') + day * DAY })).toBe(first);
    }
  });

  it('keep their dates when the jitter moves a slot past midnight', () => {
    const nightly = everyDays(1, '23:59', 'UTC', { jitter: 12 * HOUR });
    const slots = nextSlots(nightly, { policy, after: at('2027-03-01T12:00Z') }, 4);
    expect(slots.map((slot, index) => slot - index * DAY)).toEqual(slots.map(() => slots[0]));
    const anchored = slots.map((anchor) => nextSlot(nightly, { policy, after: anchor, anchor }));
    expect(anchored.slice(0, -1)).toEqual(slots.slice(1));
  });

  it('take no longer after a thousand years without a worker', () => {
    const anchor = at('1027-03-01T02:30Z');
    expect(nextSlot(everyDays(1, '02:30'), { policy, anchor, after: at('2027-03-01T02:30Z') })).toBe(
      at('2027-03-02T02:30Z'),
    );
  });
});

describe('Intervals', () => {
  it('count from the anchor, whatever it was', () => {
    const anchor = at('2027-03-28T00:20Z');
    expect(nextSlots(everyInterval(HOUR), { policy, after: anchor, anchor }, 2)).toEqual([
      anchor + HOUR,
      anchor + 2 * HOUR,
    ]);
  });

  it('begin one interval after an anchor that lies ahead', () => {
    const anchor = at('2027-03-28T00:20Z');
    expect(nextSlot(everyInterval(HOUR), { policy, after: anchor - 5 * HOUR, anchor })).toBe(anchor + HOUR);
  });

  it('without any rotation are multiples since the epoch', () => {
    expect(nextSlot(everyInterval(6 * HOUR), { policy, after: at('2027-03-28T06:00Z') })).toBe(
      at('2027-03-28T12:00Z'),
    );
  });

  it('keep their length when each slot, jitter included, is the next anchor', () => {
    const schedule = everyInterval(HOUR, { jitter: 10 * MINUTE });
    const [first = Number.NaN] = nextSlots(schedule, { policy, after: at('2027-01-01T00:00Z') }, 1);
    expect(nextSlot(schedule, { policy, after: first, anchor: first })).toBe(first + HOUR);
    expect(nextSlot(schedule, { policy, after: first })).toBe(first + HOUR);
  });

  it('take no longer after years without a worker', () => {
    const after = at('2027-03-28T00:00:00.500Z');
    expect(nextSlot(everyInterval(1_000), { policy, anchor: 0, after })).toBe(at('2027-03-28T00:00:01Z'));
  });
});

describe('A run that takes its time', () => {
  it('from 23:59 to 00:03 does not shift the series', () => {
    const slot = '2027-03-27T22:59Z';
    const schedule = everyDays(1, '23:59', 'Europe/Berlin');
    expect(localSlots(schedule, '2027-03-27T23:03Z', 2, slot)).toEqual([
      '2027-03-28T23:59+02:00',
      '2027-03-29T23:59+02:00',
    ]);
    expect(localSlots(cron('59 23 * * *', 'Europe/Berlin'), '2027-03-27T23:03Z', 1, slot)).toEqual([
      '2027-03-28T23:59+02:00',
    ]);
  });

  it('because it was retried for six hours does not shift the series', () => {
    const slot = '2027-05-01T22:30Z';
    expect(localSlots(everyDays(7, '22:30'), '2027-05-02T04:30Z', 1, slot)).toEqual([
      '2027-05-08T22:30+00:00',
    ]);
    expect(localSlots(everyInterval(4 * HOUR), '2027-05-02T04:30Z', 1, slot)).toEqual([
      '2027-05-02T06:30+00:00',
    ]);
  });
});

describe('A clock set back', () => {
  it.each([
    ['a cron', cron('*/15 * * * *', 'Europe/Berlin')],
    ['days', everyDays(1, '02:30', 'Europe/Berlin')],
    ['an interval', everyInterval(15 * MINUTE)],
  ])('does not give %s a slot twice', (_kind, schedule) => {
    const [slot = Number.NaN, following] = nextSlots(schedule, { policy, after: at('2027-10-30T23:00Z') }, 2);
    expect(nextSlot(schedule, { policy, after: slot - HOUR, lastSlot: slot })).toBe(following);
    expect(nextSlots(schedule, { policy, after: slot - HOUR, lastSlot: slot }, 1)).toEqual([following]);
  });
});
