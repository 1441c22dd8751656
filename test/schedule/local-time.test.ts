import { describe, expect, it } from 'vitest';
import { changeInDayBefore, instantOf, wallTimeAt } from '../../src/schedule/local-time.ts';

const wall = (local: string) => Date.parse(`${local}Z`);
const utc = (instant: number) => new Date(instant).toISOString().replace('.000Z', 'Z');

describe('A local time', () => {
  it.each([
    ['that exists once is that instant', 'Europe/Berlin', '2027-01-15T02:30', '2027-01-15T01:30:00Z'],
    [
      'in an hour jumped over is moved by the hour',
      'Europe/Berlin',
      '2027-03-28T02:30',
      '2027-03-28T01:30:00Z',
    ],
    ['at the start of a jump is the end of it', 'Europe/Berlin', '2027-03-28T02:00', '2027-03-28T01:00:00Z'],
    ['at the end of a jump exists', 'Europe/Berlin', '2027-03-28T03:00', '2027-03-28T01:00:00Z'],
    ['that exists twice is the first', 'Europe/Berlin', '2027-10-31T02:30', '2027-10-31T00:30:00Z'],
    ['after an hour that repeats exists once', 'Europe/Berlin', '2027-10-31T03:00', '2027-10-31T02:00:00Z'],
    ['in a jump west of Greenwich is moved', 'America/New_York', '2027-03-14T02:30', '2027-03-14T07:30:00Z'],
    [
      'that exists twice west of Greenwich is the first',
      'America/New_York',
      '2027-11-07T01:30',
      '2027-11-07T05:30:00Z',
    ],
    [
      'in a jump of half an hour is moved by that',
      'Australia/Lord_Howe',
      '2027-10-03T02:15',
      '2027-10-02T15:45:00Z',
    ],
    [
      'in half an hour that repeats is the first',
      'Australia/Lord_Howe',
      '2027-04-04T01:45',
      '2027-04-03T14:45:00Z',
    ],
    ['in a zone with odd minutes is exact', 'Asia/Kathmandu', '2027-03-28T02:30', '2027-03-27T20:45:00Z'],
    ['in a jump at midnight keeps its date', 'America/Sao_Paulo', '2018-11-04T00:30', '2018-11-04T03:30:00Z'],
    ['in a jump up to midnight moves past it', 'America/Nuuk', '2027-03-27T23:30', '2027-03-28T01:30:00Z'],
    [
      'on a date that a zone left out is the next date',
      'Pacific/Apia',
      '2011-12-30T02:30',
      '2011-12-30T12:30:00Z',
    ],
  ])('%s (%s, %s)', (_title, zone, local, instant) => {
    expect(utc(instantOf(wall(local), zone))).toBe(instant);
  });

  it('is what the clock on the wall showed at its instant', () => {
    expect(wallTimeAt(Date.parse('2027-10-31T01:30:00Z'), 'Europe/Berlin')).toBe(wall('2027-10-31T02:30'));
  });

  it('of an unknown zone is refused by the name of the zone', () => {
    expect(() => instantOf(0, 'Europe/Atlantis')).toThrow(/"Europe\/Atlantis"/);
  });
});

describe('A change of the clock', () => {
  it('is found to the millisecond from any instant of the day after it', () => {
    for (const minutes of [0, 1, 59, 600, 1439]) {
      const at = Date.parse('2027-03-28T01:00:00Z');
      const change = changeInDayBefore(at + minutes * 60_000, 'Europe/Berlin');
      expect(change).toEqual({ at, before: 3_600_000, after: 7_200_000 });
    }
  });

  it('is not reported before it happens, a day later, or in a zone without', () => {
    expect(changeInDayBefore(Date.parse('2027-03-28T00:59:59.999Z'), 'Europe/Berlin')).toBeUndefined();
    expect(changeInDayBefore(Date.parse('2027-03-29T01:00:00Z'), 'Europe/Berlin')).toBeUndefined();
    expect(changeInDayBefore(Date.parse('2027-03-28T02:00:00Z'), 'Asia/Kathmandu')).toBeUndefined();
  });
});
