import { expect, inject, onTestFinished, test } from 'vitest';
import { Announcer } from '../../jobs/announce.ts';
import { pruner } from '../../jobs/prune.ts';
import type { Sink } from '../../src/config/sink.ts';
import { openTestLedger, setClock } from '../support/ledger.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const DAY = 24 * 3_600_000;

test('a worker that was suspended for longer than a day forgets none of its own sinks', async () => {
  const clock = setClock(START);
  const kept = await openTestLedger(inject('postgres'), clock);
  onTestFinished(() => kept[Symbol.asyncDispose]());
  const { ledger } = kept;
  const now = () => clock.now();
  const ops: Sink = { name: 'ops', type: 'command', command: ['true'], env: {}, timeout: 5_000 };
  const sinks = new Map([['ops', ops]]);
  // The queue has nothing to do with it.
  const queue = { deliver: async () => {}, prune: async () => {} };
  const announcer = new Announcer({ outbox: ledger.outbox, queue, now, sinks: () => sinks });
  const prune = pruner({ ledger, queue, now, keepSinks: () => announcer.keep() });
  const policies = new Map();
  await announcer.keep();
  await ledger.outbox.overdue('app', new Date(START));
  await prune(policies);
  clock.set(START + 2 * DAY);
  await prune(policies);
  expect([...(await ledger.outbox.due(['ops'])).keys()]).toEqual(['ops']);
});
