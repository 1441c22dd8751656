import { expect, inject, onTestFinished, test } from 'vitest';
import type { CommandSink } from '../../src/config/sink.ts';
import { deliverSink } from '../../src/events/deliver-sink.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

test('an event that cannot be told is tried again later, is logged, and holds up no other policy', async () => {
  const clock = setClock(START);
  const kept = await openTestLedger(inject('postgres'), clock);
  onTestFinished(() => kept[Symbol.asyncDispose]());
  const { outbox } = kept.ledger;
  await outbox.keepSinks([{ name: 'ops' }]);
  for (const policy of ['broken', 'whole']) await outbox.overdue(policy, new Date(START));
  // An instant that no Date of JavaScript has.
  await kept.pool.query("UPDATE keyturn.policy_event SET at = 'infinity' WHERE policy = 'broken'");
  const failures: Fact[] = [];
  const sink: CommandSink = { name: 'ops', type: 'command', command: ['true'], env: {}, timeout: 5_000 };
  const due = await deliverSink(sink, {
    outbox,
    log: { failed: ({ fact }) => failures.push(fact), worksAgain() {} },
    signal: new AbortController().signal,
  });
  expect(failures).toMatchObject([{ code: 'unexpected' }]);
  expect(due).toBeGreaterThan(START);
  const events = await outbox.latest({ limit: 9 });
  expect(events.map(({ policy, deliveries }) => [policy, deliveries[0]?.status])).toEqual([
    ['whole', 'delivered'],
    ['broken', 'pending'],
  ]);
});
