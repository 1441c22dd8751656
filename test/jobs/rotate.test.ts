import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { describe, expect, inject, test } from 'vitest';
import { rotateJob } from '../../jobs/rotate.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { draining } from '../support/draining.ts';
import { openTestLedger } from '../support/ledger.ts';
import { onLine } from '../support/on-line.ts';
import { openBull, QUEUE_BACKENDS } from '../support/queue-backends.ts';
import { openScenario } from '../support/scenario.ts';

describe.each(QUEUE_BACKENDS)('the job of a rotation, with the queue on %s,', (_name, open, available) => {
  test.skipIf(!available)(
    'waits and says so, naming the login that is still let in, when its policy was removed meanwhile (G5)',
    async () => {
      await using place = await open();
      await using kept = await openTestLedger(inject('postgres'), { now: Date.now });
      const said: unknown[] = [];
      const log = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line)) });
      const queue = openQueue(place.backend, { nextSlot: async () => undefined, onFault: () => {} });
      const id = randomUUID();
      const rotation = { id, policy: 'gone', reason: 'manual', requestedBy: 'test' } as const;
      await kept.ledger.request(rotation);
      const logins = { incoming: 'app_a', outgoing: 'app_b' };
      await kept.ledger.record({ id, rolledBackBy: null }, [], { logins });
      await queue.enqueue({ id, policy: 'gone' });
      const worker = await queue.work({
        rotate: rotateJob({
          ledger: kept.ledger,
          log,
          isConfigured: () => false,
          isEdited: () => false,
          refresh: async () => true,
          place: { host: 'ops-1', config: 'config' },
          openRun: () => Promise.reject(new Error('nothing of it may be opened')),
          onSettled: async () => {},
        }),
        slot: async () => {},
        sweep: async () => {},
        deliver: async () => {},
      });
      await expect
        .poll(() => said)
        .toContainEqual(
          expect.objectContaining({
            code: 'policy-removed',
            params: { policy: 'gone', outgoing: 'app_b' },
          }),
        );
      await worker.close();
      const bull = openBull(place.backend);
      expect((await bull.getDelayed()).map(({ data }) => data.rotation)).toEqual([id]);
      await bull.close();
      expect(await kept.ledger.find(id)).toMatchObject({ status: 'open', attempts: 0 });
      await queue.close();
    },
  );

  test.skipIf(!available)(
    'ends a drain at once that became an emergency while its job ran, however long its grace is (G2)',
    async () => {
      await using place = await open();
      await using opened = await openScenario(inject('postgres'));
      const scenario = draining(opened, { grace: 600_000, timeout: 900_000 });
      const { ledger, policy } = scenario;
      await scenario.finish(await opened.request());
      const rotation = await scenario.request();
      const queued = { id: rotation.id, policy: policy.name };
      const queue = openQueue(place.backend, { nextSlot: async () => undefined, onFault: () => {} });
      await queue.enqueue(queued);
      let isTurned = false;
      /** Turns it when the run has read its row and is about to wait. */
      const turning = onLine(ledger, {
        async before({ kind }) {
          if (kind !== 'waiting' || isTurned) return;
          isTurned = true;
          await ledger.escalate(rotation.id, { requestedBy: 'test' });
          await queue.hurry(queued);
        },
      });
      const worker = await queue.work({
        rotate: rotateJob({
          ledger,
          log: pino({ level: 'silent' }),
          isConfigured: () => true,
          isEdited: () => false,
          refresh: async () => true,
          place: { host: 'ops-1', config: 'config' },
          openRun: async (row) => scenario.with({ ledger: turning }).context(row),
          onSettled: async () => {},
        }),
        slot: async () => {},
        sweep: async () => {},
        deliver: async () => {},
      });
      await expect
        .poll(async () => (await ledger.find(rotation.id))?.status, { timeout: 20_000 })
        .toBe('done');
      await worker.close();
      await queue.close();
    },
  );
});
