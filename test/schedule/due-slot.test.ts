import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../src/config/policy.ts';
import { dueSlot, windowEnd } from '../../src/schedule/due-slot.ts';
import { nextSlot } from '../../src/schedule/next-slot.ts';
import { at, cron, DAY, everyDays, everyInterval, HOUR, MINUTE, policy } from './schedules.ts';

const slot = at('2027-03-01T02:30Z');
const kinds: [string, (limits: Partial<Schedule>) => Schedule][] = [
  ['days', (limits) => everyDays(1, '02:30', 'UTC', limits)],
  ['a cron', (limits) => cron('30 2 * * *', 'UTC', limits)],
  ['an interval', (limits) => everyInterval(DAY, limits)],
];

/** What is due `late` milliseconds after the `count`-th slot since one that was acted on. */
function afterDown(schedule: Schedule, count: number, late: number): number | undefined {
  return dueSlot(schedule, { policy, anchor: slot, lastSlot: slot, now: slot + count * DAY + late });
}

describe.each(kinds)('A schedule of %s', (_kind, schedule) => {
  it('is due at its slot, not before, and not again', () => {
    const next = slot + DAY;
    expect(afterDown(schedule({}), 1, -1)).toBeUndefined();
    expect(afterDown(schedule({}), 1, 0)).toBe(next);
    expect(dueSlot(schedule({}), { policy, anchor: next, lastSlot: next, now: next })).toBeUndefined();
  });

  it('catches up once, with the latest slot, after a worker was down over three', () => {
    const caughtUp = afterDown(schedule({ missed: 'run' }), 3, 5 * HOUR);
    expect(caughtUp).toBe(slot + 3 * DAY);
    if (caughtUp === undefined) return;
    const history = { policy, anchor: caughtUp, lastSlot: caughtUp };
    expect(dueSlot(schedule({ missed: 'run' }), { ...history, now: caughtUp + 5 * HOUR })).toBeUndefined();
    expect(nextSlot(schedule({ missed: 'run' }), { ...history, after: caughtUp + 5 * HOUR })).toBe(
      slot + 4 * DAY,
    );
  });

  it('does not catch up when missed slots are skipped, and goes on with the next', () => {
    expect(afterDown(schedule({ missed: 'skip' }), 3, 5 * HOUR)).toBeUndefined();
    expect(afterDown(schedule({ missed: 'skip' }), 4, 0)).toBe(slot + 4 * DAY);
  });

  it('forgives a slot that is skipped when missed the minute that a sweep may take', () => {
    expect(afterDown(schedule({ missed: 'skip' }), 1, MINUTE)).toBe(slot + DAY);
    expect(afterDown(schedule({ missed: 'skip' }), 1, MINUTE + 1)).toBeUndefined();
  });

  it('starts within its window only, the end excluded', () => {
    const limited = schedule({ missed: 'run', window: 2 * HOUR });
    expect(windowEnd(limited, slot)).toBe(slot + 2 * HOUR);
    expect(afterDown(limited, 3, 2 * HOUR - 1)).toBe(slot + 3 * DAY);
    expect(afterDown(limited, 3, 2 * HOUR)).toBeUndefined();
    expect(afterDown(limited, 4, 0)).toBe(slot + 4 * DAY);
    expect(afterDown(schedule({ missed: 'skip', window: 30_000 }), 1, 30_000)).toBeUndefined();
  });

  it('is not due again when the clock was set back', () => {
    const last = slot + DAY;
    const history = { policy, anchor: slot, lastSlot: last };
    expect(dueSlot(schedule({}), { ...history, now: last - HOUR })).toBeUndefined();
    expect(dueSlot(schedule({}), { ...history, now: last })).toBeUndefined();
    expect(dueSlot(schedule({}), { ...history, now: last + DAY })).toBe(last + DAY);
  });

  it('has missed nothing while the policy has no history', () => {
    const now = at('2027-03-01T14:00Z');
    expect(dueSlot(schedule({}), { policy, now })).toBeUndefined();
    const due = nextSlot(schedule({}), { policy, after: now });
    expect(due).toBeDefined();
    if (due === undefined) return;
    expect(dueSlot(schedule({}), { policy, now: due })).toBe(due);
    expect(dueSlot(schedule({}), { policy, now: due + 59_000 })).toBe(due);
  });
});

describe('A slot that is due', () => {
  it('is made up for by a manual rotation after it', () => {
    const manual = at('2027-03-03T10:00Z');
    const daily = cron('30 2 * * *');
    expect(dueSlot(daily, { policy, anchor: manual, lastSlot: slot, now: manual + MINUTE })).toBeUndefined();
    expect(dueSlot(daily, { policy, anchor: manual, lastSlot: slot, now: manual + DAY })).toBe(
      at('2027-03-04T02:30Z'),
    );
  });

  it('after a run that was retried for six hours is the latest one since, once', () => {
    const hourly = everyInterval(HOUR);
    const now = slot + 6 * HOUR + 10 * MINUTE;
    const due = dueSlot(hourly, { policy, anchor: slot, lastSlot: slot, now });
    expect(due).toBe(slot + 6 * HOUR);
    if (due !== undefined)
      expect(dueSlot(hourly, { policy, anchor: due, lastSlot: due, now })).toBeUndefined();
  });

  it('includes the jitter, and so does its window', () => {
    const daily = everyDays(1, '02:30', 'UTC', { jitter: 10 * MINUTE, window: HOUR });
    const due = nextSlot(daily, { policy, after: slot });
    if (due === undefined) throw new Error('a daily schedule always has a next slot');
    const history = { policy, anchor: due - DAY, lastSlot: due - DAY };
    expect(dueSlot(daily, { ...history, now: due - 1 })).toBeUndefined();
    expect(dueSlot(daily, { ...history, now: due })).toBe(due);
    expect(dueSlot(daily, { ...history, now: due + HOUR - 1 })).toBe(due);
    expect(dueSlot(daily, { ...history, now: due + HOUR })).toBeUndefined();
  });

  it('is judged by a tenth of the interval where slots are frequent', () => {
    const frequent = everyInterval(20_000, { missed: 'skip' });
    const down = { policy, anchor: slot, lastSlot: slot };
    expect(dueSlot(frequent, { ...down, now: slot + 62_000 })).toBe(slot + 60_000);
    expect(dueSlot(frequent, { ...down, now: slot + 62_001 })).toBeUndefined();
  });

  it('is found at once after years without a worker', () => {
    const now = slot + 20 * 365 * DAY + 100;
    const everySecond = everyInterval(1_000);
    expect(dueSlot(everySecond, { policy, anchor: slot, lastSlot: slot, now })).toBe(now - 100);
    const cronEverySecond = cron('* * * * * *', 'Europe/Berlin');
    expect(dueSlot(cronEverySecond, { policy, anchor: slot, lastSlot: slot, now })).toBe(now - 100);
  });
});
