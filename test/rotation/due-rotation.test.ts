import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Policy, Schedule } from '../../src/config/policy.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import {
  countingOf,
  isOverdue,
  nextDue,
  nextTry,
  owedSlot,
  requestDueRotation,
} from '../../src/rotation/due-rotation.ts';
import { jitterOffset } from '../../src/schedule/jitter-offset.ts';
import { nextSlot } from '../../src/schedule/next-slot.ts';
import { cron, everyDays, everyInterval, HOUR, MINUTE } from '../schedule/schedules.ts';
import { openTestLedger, type SetClock, setClock } from '../support/ledger.ts';
import { policyWith } from '../support/policy.ts';

let opened: Awaited<ReturnType<typeof openTestLedger>>;
let ledger: Ledger;
let clock: SetClock;
beforeEach(async () => {
  clock = setClock('2027-03-01T12:00Z');
  opened = await openTestLedger(inject('postgres'), clock);
  ledger = opened.ledger;
});
afterEach(() => opened[Symbol.asyncDispose]());

/** What a sweep at an instant opens, as its slot or its reason. */
async function sweepAt(
  policy: Policy,
  instant: number | string,
  published = true,
): Promise<string | undefined> {
  clock.set(instant);
  await ledger.see([policy.name]);
  const rotation = await requestDueRotation(policy, await ledger.timing(policy.name), {
    ledger,
    now: clock.now(),
    isUnpublished: async () => !published,
  });
  return rotation && (rotation.slot?.toISOString() ?? rotation.reason);
}

async function openRotation(): Promise<Rotation> {
  const [rotation] = await ledger.open('p');
  if (!rotation) throw new Error('no rotation is open');
  return rotation;
}

async function endAt(instant: string, status: 'done' | 'failed' = 'done'): Promise<void> {
  clock.set(instant);
  await ledger.finish(await openRotation(), status);
}

async function nextAfter(policy: Policy, instant: string): Promise<string | undefined> {
  const next = nextDue(policy, await ledger.timing('p'), Date.parse(instant));
  return next === undefined ? undefined : new Date(next).toISOString();
}

const nightly = (change: Partial<Schedule> = {}) =>
  policyWith(everyDays(1, '23:59', 'Europe/Berlin', change));

describe('A slot', () => {
  test('whose run starts at 23:59 and ends at 00:03 does not shift the series', async () => {
    const policy = nightly();
    await sweepAt(policy, '2027-02-28T12:00Z');
    expect(await sweepAt(policy, '2027-03-01T22:59:00Z')).toBe('2027-03-01T22:59:00.000Z');
    await endAt('2027-03-01T23:03:00Z');
    expect(await sweepAt(policy, '2027-03-01T23:04:00Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-01T23:04:00Z')).toBe('2027-03-02T22:59:00.000Z');
  });

  test('whose rotation was retried for six hours does not shift the series, nor is it run again', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await sweepAt(policy, '2027-03-02T02:30:00Z')).toBe('2027-03-02T02:30:00.000Z');
    for (let hour = 3; hour < 8; hour += 1) {
      expect(await sweepAt(policy, `2027-03-02T0${hour}:30:00Z`)).toBeUndefined();
    }
    await endAt('2027-03-02T08:30:00Z');
    expect(await sweepAt(policy, '2027-03-02T08:31:00Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-02T08:31:00Z')).toBe('2027-03-03T02:30:00.000Z');
  });

  test('that came while a rotation was open longer than the interval gets one of its own, once', async () => {
    const policy = policyWith(everyInterval(HOUR));
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await sweepAt(policy, '2027-03-01T13:00:00Z')).toBe('2027-03-01T13:00:00.000Z');
    expect(await sweepAt(policy, '2027-03-01T15:10:00Z')).toBeUndefined();
    await endAt('2027-03-01T15:20:00Z');
    expect(await sweepAt(policy, '2027-03-01T15:21:00Z')).toBe('2027-03-01T15:00:00.000Z');
    await endAt('2027-03-01T15:22:00Z');
    expect(await sweepAt(policy, '2027-03-01T15:23:00Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-01T15:23:00Z')).toBe('2027-03-01T16:00:00.000Z');
  });

  test('whose rotation failed gets another after a quarter of an hour, and not sooner', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    await sweepAt(policy, '2027-03-01T12:00Z');
    await sweepAt(policy, '2027-03-02T02:30:00Z');
    await endAt('2027-03-02T02:31:00Z', 'failed');
    expect(await sweepAt(policy, '2027-03-02T02:45:00Z')).toBeUndefined();
    expect(await sweepAt(policy, '2027-03-02T02:46:00Z')).toBe('2027-03-02T02:30:00.000Z');
  });

  test.each([
    ['every few seconds', everyInterval(3_000), '02:46:00'],
    [
      'that is tried again until its window is over',
      everyDays(1, '02:30', 'UTC', { window: HOUR }),
      '02:46:00',
    ],
  ])(
    '%s, whose rotation failed, is told to come when it is really tried again',
    async (_, schedule, time) => {
      const policy = policyWith(schedule);
      await sweepAt(policy, '2027-03-01T12:00Z');
      await sweepAt(policy, '2027-03-02T02:30:00Z');
      await endAt('2027-03-02T02:31:00Z', 'failed');
      const now = Date.parse('2027-03-02T02:32:00Z');
      clock.set(now);
      const told = nextTry(policy, await ledger.timing('p'), { now, unpublished: false });
      expect(new Date(Number(told)).toISOString()).toBe(`2027-03-02T${time}.000Z`);
      expect(await sweepAt(policy, Number(told) - 1)).toBeUndefined();
      expect(await sweepAt(policy, Number(told))).toBeDefined();
    },
  );

  test('is not run twice when the clock is set back an hour, and those in between are not waited for', async () => {
    const policy = policyWith(everyInterval(15 * MINUTE));
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await sweepAt(policy, '2027-03-01T13:00:00Z')).toBe('2027-03-01T13:00:00.000Z');
    await endAt('2027-03-01T13:01:00Z');
    const again: unknown[] = [];
    for (let minute = 1; minute < 75; minute += 1) {
      const now = new Date(Date.parse('2027-03-01T12:00:00Z') + minute * MINUTE).toISOString();
      const slot = await sweepAt(policy, now);
      if (slot !== undefined) await endAt(now);
      again.push(slot);
    }
    expect(again.filter((slot) => slot !== undefined)).toEqual(
      ['12:15', '12:30', '12:45'].map((time) => `2027-03-01T${time}:00.000Z`),
    );
    expect(await sweepAt(policy, '2027-03-01T13:15:00Z')).toBe('2027-03-01T13:15:00.000Z');
  });

  test.each([
    ['days', everyDays(1, '02:30', 'Europe/Berlin')],
    ['a cron', cron('30 2 * * *', 'Europe/Berlin')],
  ])('of %s in an hour that daylight saving repeats is run once', async (_kind, schedule) => {
    const policy = policyWith(schedule);
    const ran: string[] = [];
    await sweepAt(policy, '2027-10-30T12:00:00Z');
    // A sweep a minute from before the first 02:30 to after the second.
    for (let minute = 0; minute < 180; minute += 1) {
      const slot = await sweepAt(policy, Date.parse('2027-10-30T23:30:00Z') + minute * MINUTE);
      if (!slot) continue;
      ran.push(slot);
      await endAt(new Date(clock.now() + 10_000).toISOString());
    }
    expect(ran).toEqual(['2027-10-31T00:30:00.000Z']);
  });
});

describe('A worker that was down over three slots', () => {
  const down = async (policy: Policy, back: string) => {
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await sweepAt(policy, '2027-03-02T02:30:00Z')).toBeDefined();
    await endAt('2027-03-02T02:31:00Z');
    return sweepAt(policy, back);
  };

  test('catches up once with `missed: run`, and goes on with the series', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    expect(await down(policy, '2027-03-05T09:00:00Z')).toBe('2027-03-05T02:30:00.000Z');
    expect(isOverdue(policy, await ledger.timing('p'), clock.now())).toBe(false);
    await endAt('2027-03-05T09:01:00Z');
    expect(await sweepAt(policy, '2027-03-05T09:02:00Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-05T09:02:00Z')).toBe('2027-03-06T02:30:00.000Z');
  });

  test('does not catch up with `missed: skip`', async () => {
    const policy = policyWith(everyDays(1, '02:30', 'UTC', { missed: 'skip' }));
    expect(await down(policy, '2027-03-05T09:00:00Z')).toBeUndefined();
    expect(await sweepAt(policy, '2027-03-06T02:30:30Z')).toBe('2027-03-06T02:30:00.000Z');
  });

  test('does not catch up outside the window', async () => {
    const policy = policyWith(everyDays(1, '02:30', 'UTC', { window: 2 * HOUR }));
    expect(await down(policy, '2027-03-05T09:00:00Z')).toBeUndefined();
    expect(await sweepAt(policy, '2027-03-06T04:29:00Z')).toBe('2027-03-06T02:30:00.000Z');
  });
});

describe('The first rotation', () => {
  test('comes at once when nothing is published', async () => {
    expect(await sweepAt(policyWith(everyDays(30, '02:30')), '2027-03-01T12:00Z', false)).toBe('first');
  });

  test('comes with the first slot when something is', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    expect(await sweepAt(policy, '2027-03-01T12:00Z')).toBeUndefined();
    expect(await sweepAt(policy, '2027-03-02T02:30Z')).toBe('2027-03-02T02:30:00.000Z');
  });

  test('makes up for no slot before the policy was there', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    expect(await sweepAt(policy, '2027-03-01T02:31Z')).toBeUndefined();
  });

  test('does not come by itself with autoRotate: false', async () => {
    const policy = policyWith(everyDays(1, '02:30'), { autoRotate: false });
    expect(await sweepAt(policy, '2027-03-01T12:00Z', false)).toBeUndefined();
  });
});

describe('A policy without a rotation', () => {
  const seen = '2027-03-01T12:00Z';
  const monthly = (change: Partial<Schedule> = {}) =>
    policyWith(everyDays(30, '02:30', 'Europe/Berlin', change));

  test.each([
    // Daylight saving begins between them.
    ['days', everyDays(30, '02:30', 'Europe/Berlin'), '2027-03-31T00:30:00.000Z'],
    ['weeks', everyDays(14, '02:30', 'Europe/Berlin'), '2027-03-15T01:30:00.000Z'],
    ['a time that is skipped', everyDays(27, '02:30', 'Europe/Berlin'), '2027-03-28T01:30:00.000Z'],
    ['a date that has begun there', everyDays(2, '02:30', 'Pacific/Auckland'), '2027-03-03T13:30:00.000Z'],
    ['an interval', everyInterval(12 * HOUR), '2027-03-02T00:00:00.000Z'],
    ['a cron, which counts from nothing', cron('30 2 1 * *'), '2027-04-01T02:30:00.000Z'],
  ])('counts from when it was first seen: %s', async (_kind, schedule, first) => {
    const policy = policyWith(schedule);
    expect(await sweepAt(policy, seen)).toBeUndefined();
    expect(await nextAfter(policy, seen)).toBe(first);
    // Neither other workers nor later looks move it.
    expect(await sweepAt(policy, Date.parse(first) - 1)).toBeUndefined();
    expect(await nextAfter(policy, new Date(Date.parse(first) - 1).toISOString())).toBe(first);
    expect(await sweepAt(policy, first)).toBe(first);
  });

  test('that was seen on another day has another date, and one seen with it is apart by its jitter', async () => {
    const dates = new Set<string | undefined>();
    for (const day of [1, 2, 3]) {
      clock.set(`2027-03-0${day}T12:00Z`);
      const policy = { ...monthly(), name: `p${day}` };
      await ledger.see([policy.name]);
      const next = nextDue(policy, await ledger.timing(policy.name), clock.now());
      dates.add(new Date(Number(next)).toISOString());
    }
    expect([...dates]).toEqual(
      [31, 32, 33].map((day) => new Date(Date.UTC(2027, 2, day, 0, 30)).toISOString()),
    );
    for (const schedule of [everyInterval(HOUR, { jitter: HOUR }), monthly({ jitter: HOUR }).schedule]) {
      if (!schedule) throw new Error('no schedule');
      const [one, other] = ['p1', 'p3'].map((name) => ({ ...policyWith(schedule), name }));
      const timing = { ...(await ledger.timing('p1')), firstSeenAt: new Date(seen) };
      const apart = (policy: Policy | undefined) =>
        policy && Number(nextDue(policy, timing, Date.parse(seen))) - jitterOffset(policy.name, HOUR);
      expect(apart(one)).toBe(apart(other));
      expect(jitterOffset('p1', HOUR)).not.toBe(jitterOffset('p3', HOUR));
    }
  });

  test('that nobody has seen yet counts from now, and looking at it does not count as seeing it', async () => {
    for (const day of ['01', '05']) {
      clock.set(`2027-03-${day}T12:00Z`);
      const timing = await ledger.timing('p');
      expect(countingOf(monthly(), timing)).toEqual({ since: 'first-seen', at: clock.now() });
      expect(timing).toMatchObject({ isSeen: false });
    }
  });

  test('that an earlier release saw keeps the slots that it had, until it has rotated', async () => {
    await sweepAt(monthly(), seen);
    await opened.pool.query('UPDATE keyturn.policy SET counts_from_first_seen = false');
    const before = nextSlot(everyDays(30, '02:30', 'Europe/Berlin'), {
      policy: 'p',
      after: Date.parse(seen),
    });
    expect(await nextAfter(monthly(), seen)).toBe(new Date(Number(before)).toISOString());
    expect(countingOf(monthly(), await ledger.timing('p'))).toEqual({ since: 'epoch', at: 0 });
    expect(await sweepAt(monthly(), Number(before))).toBe(new Date(Number(before)).toISOString());
    await endAt(new Date(Number(before) + MINUTE).toISOString());
    expect(countingOf(monthly(), await ledger.timing('p'))).toEqual({ since: 'slot', at: before });
  });
});

describe('A manual rotation', () => {
  const manual = async (at: string, status: 'done' | 'failed' = 'done') => {
    clock.set(at);
    await ledger.request({
      id: '5e5e5e5e-0000-4000-8000-000000000001',
      policy: 'p',
      reason: 'manual',
      requestedBy: 'test',
    });
    await endAt(at, status);
  };

  test('starts an interval anew', async () => {
    const policy = policyWith(everyDays(30, '02:30'));
    await sweepAt(policy, '2027-03-01T12:00Z');
    await manual('2027-03-04T15:00:00Z');
    expect(await nextAfter(policy, '2027-03-04T15:00:00Z')).toBe('2027-04-03T02:30:00.000Z');
  });

  test('keeps the jitter of an interval, so that a fleet rotated at once is spread again', async () => {
    const policy = policyWith(everyInterval(HOUR, { jitter: 30 * MINUTE }));
    await sweepAt(policy, '2027-03-01T12:00Z');
    await manual('2027-03-04T15:00:00Z');
    const jitter = jitterOffset('p', 30 * MINUTE);
    expect(jitter).toBeGreaterThan(0);
    const first = Date.parse('2027-03-04T16:00:00Z') + jitter;
    expect(await nextAfter(policy, '2027-03-04T15:01:00Z')).toBe(new Date(first).toISOString());
    expect(await sweepAt(policy, first)).toBe(new Date(first).toISOString());
    await endAt(new Date(first).toISOString());
    expect(nextDue(policy, await ledger.timing('p'), first)).toBe(first + HOUR);
  });

  test.each(['done', 'failed'] as const)(
    'that is %s since a sweep read what it decides on leaves that sweep nothing to open (G4)',
    async (status) => {
      const policy = policyWith(everyInterval(HOUR));
      await sweepAt(policy, '2027-03-01T12:00Z');
      clock.set('2027-03-01T13:30Z');
      const read = await ledger.timing('p');
      expect(owedSlot(policy, read, clock.now())).toBeDefined();
      await manual('2027-03-01T13:31Z', status);
      const late = { ledger, now: clock.now(), isUnpublished: async () => false };
      expect(await requestDueRotation(policy, read, late)).toBeUndefined();
      expect(await ledger.open('p')).toEqual([]);
    },
  );

  test('that is done lifts the wait after a failure before it', async () => {
    const policy = policyWith(everyInterval(2 * MINUTE));
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await sweepAt(policy, '2027-03-01T12:02Z')).toBeDefined();
    await endAt('2027-03-01T12:03Z', 'failed');
    expect(await sweepAt(policy, '2027-03-01T12:06Z')).toBeUndefined();
    await manual('2027-03-01T12:07Z');
    expect(await sweepAt(policy, '2027-03-01T12:09Z')).toBe('2027-03-01T12:09:00.000Z');
  });

  test('does not move a cron', async () => {
    const policy = policyWith(cron('30 2 1 * *'));
    await sweepAt(policy, '2027-03-01T12:00Z');
    await manual('2027-03-31T15:00:00Z');
    expect(await nextAfter(policy, '2027-03-31T15:00:00Z')).toBe('2027-04-01T02:30:00.000Z');
  });
});

describe('A paused policy', () => {
  test('rotates at no slot, is due at none, and makes up for one once it is resumed', async () => {
    const policy = policyWith(everyDays(1, '02:30'));
    await sweepAt(policy, '2027-03-01T12:00Z');
    expect(await ledger.pause('p', { requestedBy: 'margaret' })).toBe(true);
    expect(await ledger.pause('p', { requestedBy: 'grace' })).toBe(false);
    expect(await ledger.timing('p')).toMatchObject({ pausedBy: 'margaret' });
    expect(await sweepAt(policy, '2027-03-02T02:30Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-02T02:30Z')).toBeUndefined();
    expect(isOverdue(policy, await ledger.timing('p'), Date.parse('2027-03-02T12:00Z'))).toBe(false);
    expect(await ledger.resume('p', { requestedBy: 'test' })).toBe(true);
    expect(await ledger.resume('p', { requestedBy: 'test' })).toBe(false);
    expect(await sweepAt(policy, '2027-03-02T12:00Z')).toBe('2027-03-02T02:30:00.000Z');
  });

  test('that skips what it missed goes on with the next slot', async () => {
    const policy = policyWith(everyDays(1, '02:30', 'UTC', { missed: 'skip' }));
    await sweepAt(policy, '2027-03-01T12:00Z');
    await ledger.pause('p', { requestedBy: 'margaret' });
    await ledger.resume('p', { requestedBy: 'test' });
    expect(await sweepAt(policy, '2027-03-02T12:00Z')).toBeUndefined();
    expect(await nextAfter(policy, '2027-03-02T12:00Z')).toBe('2027-03-03T02:30:00.000Z');
  });
});

describe('Moving the time of day', () => {
  const at = (time: string, change: Partial<Schedule> = {}) => policyWith(everyDays(1, time, 'UTC', change));
  beforeEach(async () => {
    await sweepAt(at('14:00'), '2027-02-28T12:00Z');
    expect(await sweepAt(at('14:00'), '2027-03-01T14:00Z')).toBeDefined();
    await endAt('2027-03-01T14:01:00Z');
  });

  test('to one that is still to come rotates then', async () => {
    expect(await sweepAt(at('10:00'), '2027-03-02T09:00Z')).toBeUndefined();
    expect(await sweepAt(at('10:00'), '2027-03-02T10:00Z')).toBe('2027-03-02T10:00:00.000Z');
  });

  test('to later on the same day waits for it', async () => {
    expect(await sweepAt(at('16:00'), '2027-03-02T14:00Z')).toBeUndefined();
    expect(await sweepAt(at('16:00'), '2027-03-02T16:00Z')).toBe('2027-03-02T16:00:00.000Z');
  });

  test('to one that has passed today is a slot that was missed', async () => {
    expect(await sweepAt(at('08:00', { missed: 'skip' }), '2027-03-02T12:00Z')).toBeUndefined();
    expect(await sweepAt(at('08:00'), '2027-03-02T12:00Z')).toBe('2027-03-02T08:00:00.000Z');
  });

  test('after the rotation of the day gives the day no second one', async () => {
    for (const time of ['16:00', '08:00']) {
      expect(await sweepAt(at(time), '2027-03-01T20:00Z')).toBeUndefined();
      expect(await nextAfter(at(time), '2027-03-01T20:00Z')).toBe(`2027-03-02T${time}:00.000Z`);
    }
  });
});
