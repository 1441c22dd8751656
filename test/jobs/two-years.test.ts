import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { rotateJob } from '../../jobs/rotate.ts';
import { sweepJob } from '../../jobs/sweep.ts';
import type { LoginsPolicy } from '../../src/config/policy.ts';
import { openQueue } from '../../src/queue/queue.ts';
import type { RotationQueue } from '../../src/queue/rotation-queue.ts';
import { everyDays } from '../schedule/schedules.ts';
import { openTestLedger, type SetClock, setClock } from '../support/ledger.ts';
import { openBull, QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-01-01T12:00:00Z');
const EVERY = 40;
const KEEP = 400 * DAY;
/** What a queue may keep of events: 100, and what BullMQ trims at once. */
const EVENTS = 100 + 256;

describe.each(QUEUE_BACKENDS)('with the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);
  let clock: SetClock;
  let kept: Awaited<ReturnType<typeof openTestLedger>>;
  let place: QueuePlace;
  let scenario: Scenario;
  let queue: RotationQueue;
  let sweep: () => Promise<void>;

  beforeEach(async () => {
    if (!available) return;
    clock = setClock(START);
    kept = await openTestLedger(inject('postgres'), clock);
    place = await open();
    const opened = await openScenario(inject('postgres'));
    const policy: LoginsPolicy = { ...opened.policy, schedule: everyDays(EVERY, '12:00') };
    const { ledger } = kept;
    scenario = opened.with({ policy, ledger, clock });
    const log = pino({ level: 'silent' });
    const policies = new Map([[policy.name, policy]]);
    queue = openQueue(place.backend, { nextSlot: async () => undefined, onFault: () => {} });
    const now = () => clock.now();
    sweep = sweepJob({
      ...{ ledger, queue, log, now, policies: () => policies, keep: () => KEEP },
      isUnpublished: async () => true,
    });
  });
  afterEach(async () => {
    if (!available) return;
    await queue.close();
    await scenario[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    await kept[Symbol.asyncDispose]();
  });

  const TABLES = ['rotation', 'event', 'action', 'provision', 'policy', 'due', 'probe', 'configured'];
  async function sizes(): Promise<Record<string, number>> {
    const counts = TABLES.map((table) => `(SELECT count(*)::int FROM keyturn.${table}) AS ${table}`);
    return (await kept.pool.query(`SELECT ${counts.join(', ')}`)).rows[0];
  }
  async function jobs() {
    const bull = openBull(place.backend);
    try {
      const { delayed = 0, ...others } = await bull.getJobCounts();
      const events = await place.events();
      return { jobs: Object.values(others).reduce((sum, each) => sum + each, 0), delayed, events };
    } finally {
      await bull.close();
    }
  }

  it('two years of a policy leave what 400 days need in the ledger, and nothing in the queue', async () => {
    const { ledger } = kept;
    const rotate = rotateJob({
      ledger,
      log: pino({ level: 'silent' }),
      clock,
      isConfigured: () => true,
      isEdited: () => false,
      refresh: async () => true,
      place: { host: 'test', config: 'test' },
      openRun: async (rotation) => scenario.context(rotation),
      onSettled: async () => {},
    });
    const worker = await queue.work({
      rotate,
      slot: async () => {},
      sweep: async () => {},
      deliver: async () => {},
    });
    const seen: Record<string, number>[] = [];
    for (let day = 0; day <= 730; day += EVERY) {
      clock.set(START + day * DAY);
      await sweep();
      await expect.poll(async () => (await ledger.open()).length, { timeout: 20_000, interval: 20 }).toBe(0);
      // What people do, too.
      await ledger.pause(scenario.policy.name, { requestedBy: 'test' });
      await ledger.resume(scenario.policy.name, { requestedBy: 'test' });
      clock.set(START + day * DAY + 2 * 3_600_000);
      await sweep();
      seen.push(await sizes());
    }
    await worker.close();
    const full = seen[Math.ceil(400 / EVERY)];
    // Each rotation was done, and once 400 days are over the ledger does not grow any more.
    expect(seen.at(5)?.rotation).toBe(6);
    // On a busy machine a step of a rotation may wait, and says so in an event more.
    const isAsMany = (event: number) => Math.abs(event - Number(full?.event)) <= Number(full?.event) / 20;
    for (const size of seen.slice(Math.ceil(400 / EVERY))) {
      expect(size).toEqual({ ...full, event: expect.toSatisfy(isAsMany) });
    }
    expect(full).toMatchObject({ policy: 1, due: 1, configured: 1 });
    const { jobs: left, delayed, events } = await jobs();
    expect([left, delayed]).toEqual([0, expect.toSatisfy((count: number) => count <= 1)]);
    expect(events).toBeLessThanOrEqual(EVENTS);
    const history = await ledger.latest({ limit: 100 });
    expect(history.every(({ status }) => status === 'done')).toBe(true);
  }, 120_000);
});
