import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/config/policy.ts';
import { jitterOffset } from '../../src/schedule/jitter-offset.ts';
import { nextSlot, nextSlots } from '../../src/schedule/next-slot.ts';
import { at, DAY, HOUR } from './schedules.ts';

const zones = fc.constantFrom(
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'UTC',
  'America/Nuuk',
  'Africa/Cairo',
);

const changesOf2027 = [
  '2027-03-14',
  '2027-03-28',
  '2027-04-04',
  '2027-04-30',
  '2027-10-03',
  '2027-10-31',
  '2027-11-07',
];

/** Any instant of three years, as often as not within a day of a change of some zone's clock. */
const instants = fc.oneof(
  fc.integer({ min: at('2026-06-01T00:00Z'), max: at('2029-06-01T00:00Z') }),
  fc
    .tuple(fc.constantFrom(...changesOf2027), fc.integer({ min: -DAY, max: 2 * DAY }))
    .map(([date, distance]) => at(`${date}T00:00Z`) + distance),
);

const timeOfDay = fc.record({
  hour: fc.oneof(fc.constantFrom(0, 1, 2, 3, 23), fc.integer({ min: 0, max: 23 })),
  minute: fc.integer({ min: 0, max: 59 }),
});

const jitters = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 * HOUR }));

const daily = fc.record({
  kind: fc.constant('days' as const),
  days: fc.integer({ min: 1, max: 100 }),
  at: timeOfDay,
  timezone: zones,
  jitter: jitters,
  missed: fc.constant('run' as const),
});

const intervals = fc.record({
  kind: fc.constant('interval' as const),
  interval: fc.integer({ min: 1_000, max: 50 * HOUR }),
  timezone: zones,
  jitter: jitters,
  missed: fc.constant('run' as const),
});

const crons = fc.record({
  kind: fc.constant('cron' as const),
  cron: fc.constantFrom(
    '30 2 * * *',
    '*/7 * * * *',
    '0,45 1-3 * * *',
    '15 0,2,23 * * *',
    '30 2 31 * *',
    '30 23 L * *',
    '0 0 2 * * SUN',
    '*/40 * 0-3 * * *',
    '0 * * * *',
  ),
  timezone: zones,
  jitter: jitters,
  missed: fc.constant('run' as const),
});

const schedules: fc.Arbitrary<Schedule> = fc.oneof(daily, intervals, crons);
const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const anchors = fc.option(fc.integer({ min: -200 * DAY, max: 0 }), { nil: undefined });

function context(policy: string, after: number, distance: number | undefined) {
  return distance === undefined ? { policy, after } : { policy, after, anchor: after + distance };
}

describe('For every schedule, zone, jitter and instant', () => {
  it('slots lie after the instant, strictly increase, and are as many as asked for', () => {
    fc.assert(
      fc.property(schedules, names, instants, anchors, (schedule, policy, after, distance) => {
        const slots = nextSlots(schedule, context(policy, after, distance), 6);
        expect(slots).toHaveLength(6);
        [after, ...slots].reduce((earlier, slot) => {
          expect(slot).toBeGreaterThan(earlier);
          return slot;
        });
      }),
      { numRuns: 300 },
    );
  });

  it('the next of the next is the second, also when the next has become the anchor', () => {
    fc.assert(
      fc.property(schedules, names, instants, anchors, (schedule, policy, after, distance) => {
        const [first = Number.NaN, second] = nextSlots(schedule, context(policy, after, distance), 2);
        expect(
          nextSlot(
            schedule,
            context(policy, first, distance === undefined ? undefined : after + distance - first),
          ),
        ).toBe(second);
        expect(nextSlot(schedule, { policy, after: first, anchor: first, lastSlot: first })).toBe(second);
      }),
      { numRuns: 300 },
    );
  });

  it('no slot is left out: every instant before a slot and after the one before it leads to that slot', () => {
    fc.assert(
      fc.property(
        schedules,
        names,
        instants,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (schedule, policy, after, part) => {
          const [first = Number.NaN, second = Number.NaN] = nextSlots(schedule, { policy, after }, 2);
          const between = first + Math.floor((second - first - 1) * part);
          expect(nextSlot(schedule, { policy, after: between })).toBe(second);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("the slots of a policy with jitter are those without, each later by the policy's own offset", () => {
    fc.assert(
      fc.property(fc.oneof(daily, intervals, crons), names, instants, (schedule, policy, after) => {
        const { jitter, ...punctual } = schedule;
        const offset = jitterOffset(policy, jitter);
        const slots = nextSlots(schedule, { policy, after: after + offset }, 4);
        expect(slots.map((slot) => slot - offset)).toEqual(nextSlots(punctual, { policy, after }, 4));
      }),
      { numRuns: 200 },
    );
  });
});

describe('For every time of day and zone', () => {
  it('each date that is due gets exactly one slot: its time, the first if there are two, moved if there is none', () => {
    fc.assert(
      fc.property(zones, timeOfDay, instants, (timezone, time, after) => {
        const schedule: Schedule = { kind: 'days', days: 1, at: time, timezone, missed: 'run' };
        const today = DateTime.fromMillis(after, { zone: timezone });
        const expected = Array.from({ length: 14 }, (_, index) => {
          const { year, month, day } = DateTime.utc(today.year, today.month, today.day).plus({
            days: index - 1,
          });
          const local = DateTime.fromObject({ year, month, day, ...time }, { zone: timezone });
          return Math.min(...local.getPossibleOffsets().map((possible) => possible.toMillis()));
        });
        const slots = nextSlots(schedule, { policy: 'orders-api', after }, 10);
        expect(slots).toEqual(expected.filter((slot) => slot > after).slice(0, 10));
      }),
      { numRuns: 500 },
    );
  });
});
