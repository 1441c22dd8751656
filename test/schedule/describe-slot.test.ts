import { describe, expect, it } from 'vitest';
import { describeSlot } from '../../src/schedule/describe-slot.ts';
import { jitterOffset } from '../../src/schedule/jitter-offset.ts';
import { nextSlot } from '../../src/schedule/next-slot.ts';
import { at, cron, everyDays, everyInterval, HOUR, MINUTE, policy } from './schedules.ts';

describe('The description of a slot', () => {
  it.each([
    ['days', everyDays(1, '02:30', 'Europe/Berlin')],
    ['a cron', cron('30 2 * * *', 'Europe/Berlin')],
  ])('of %s says that the clock moved it', (_kind, schedule) => {
    expect(describeSlot(schedule, policy, at('2027-03-28T01:30Z'))).toEqual({
      iso: '2027-03-28T03:30:00.000+02:00',
      jitter: 0,
      clockChange: HOUR,
      isRepeated: false,
    });
    expect(describeSlot(schedule, policy, at('2027-03-29T00:30Z'))).toEqual({
      iso: '2027-03-29T02:30:00.000+02:00',
      jitter: 0,
      clockChange: 0,
      isRepeated: false,
    });
  });

  it('says half an hour where the clock jumps by that', () => {
    const schedule = everyDays(1, '02:15', 'Australia/Lord_Howe');
    expect(describeSlot(schedule, policy, at('2027-10-02T15:45Z')).clockChange).toBe(30 * MINUTE);
  });

  it('tells the jitter from the change of the clock', () => {
    const schedule = everyDays(1, '02:30', 'Europe/Berlin', { jitter: 10 * MINUTE });
    const slot = nextSlot(schedule, { policy, after: at('2027-03-28T00:00Z') }) ?? Number.NaN;
    const jitter = jitterOffset(policy, 10 * MINUTE);
    expect(jitter).toBeGreaterThan(0);
    expect(describeSlot(schedule, policy, slot)).toEqual({
      iso: `2027-03-28T03:3${Math.floor(jitter / MINUTE)}:${((jitter % MINUTE) / 1_000).toFixed(3).padStart(6, '0')}+02:00`,
      jitter,
      clockChange: HOUR,
      isRepeated: false,
    });
  });

  it.each([
    ['days', everyDays(1, '02:30', 'Europe/Berlin')],
    ['a cron', cron('30 2 * * *', 'Europe/Berlin')],
  ])('of %s says that the clock shows its time twice that day', (_kind, schedule) => {
    const slot = nextSlot(schedule, { policy, after: at('2027-10-30T12:00Z') }) ?? Number.NaN;
    expect(describeSlot(schedule, policy, slot)).toEqual({
      iso: '2027-10-31T02:30:00.000+02:00',
      jitter: 0,
      clockChange: 0,
      isRepeated: true,
    });
    expect(describeSlot(schedule, policy, slot + 25 * HOUR).isRepeated).toBe(false);
  });

  it('of an interval knows no change of the clock', () => {
    expect(describeSlot(everyInterval(HOUR), policy, at('2027-03-28T01:00Z'))).toEqual({
      iso: '2027-03-28T01:00:00.000Z',
      jitter: 0,
      clockChange: 0,
      isRepeated: false,
    });
  });
});
