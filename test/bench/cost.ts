import { setTimeout as sleep } from 'node:timers/promises';
import { progress } from './measure.ts';
import { many } from './options.ts';
import { BACKENDS, type Backend, NO_DRAIN, openPlace } from './place.ts';
import { figure, type Section, type Table } from './report.ts';
import { openBenchApp, queueAll, startWorker, untilAllOver } from './request.ts';
import { seed } from './seed.ts';
import {
  type Counted,
  type Counts,
  ofLedger,
  outsideOfTransactionControl,
  startCounting,
} from './statements.ts';

/** Sessions tell PostgreSQL of themselves once a second. */
const STATISTICS_MS = 1_500;

/** (c) What one rotation sends and opens, in a run of so many. */
export async function measureCost(): Promise<Section> {
  const rotations = many(100, 20);
  const found = new Map<Backend, Counts>();
  for (const backend of BACKENDS) {
    progress(`${rotations} rotations, the queue on ${backend}`);
    found.set(backend, await countCost(backend, rotations));
  }
  const postgres = found.get('PostgreSQL');
  if (!postgres) throw new Error('both backends are measured');
  return {
    tables: [costTable(found, rotations)],
    bars: [
      { what: 'statements on the target', found: postgres.target.statements / rotations, most: 12 },
      { what: 'statements of the ledger', found: ofLedger(postgres.state) / rotations, most: 12 },
      { what: 'sessions on the target', found: postgres.target.sessions / rotations, most: 2.3 },
    ],
    details: [
      textsOf('on the target', postgres.target, rotations),
      textsOf('in the state database', postgres.state, rotations),
    ],
  };
}

function costTable(found: ReadonlyMap<Backend, Counts>, rotations: number): Table {
  return {
    title: `Per rotation, in a run of ${rotations} without a drain, by one worker.`,
    head: [
      'queue',
      'statements on the target',
      'without BEGIN, SET LOCAL, …',
      'sessions there',
      'statements of the ledger',
      'others in the state database',
      'sessions there',
    ],
    rows: [...found].map(([backend, { target, state }]) => [
      backend,
      ...[
        target.statements,
        outsideOfTransactionControl(target),
        target.sessions,
        ofLedger(state),
        state.statements - ofLedger(state),
        state.sessions,
      ].map((count) => figure(count / rotations)),
    ]),
    notes: ['The others are those of BullMQ, and what a new session asks first.'],
  };
}

/** Rotates so many policies once, all due at once. */
export async function countCost(backend: Backend, rotations: number): Promise<Counts> {
  await using place = await openPlace({ policies: rotations, backend });
  await place.configure(NO_DRAIN);
  await seed(place);
  await using app = await openBenchApp(place);
  const { go } = await queueAll(place, app);
  const worker = await startWorker(place);
  try {
    await sleep(STATISTICS_MS);
    const count = await startCounting(place);
    await go();
    await untilAllOver(place, rotations);
    await sleep(STATISTICS_MS);
    return await count();
  } finally {
    await worker.stop();
  }
}

function textsOf(where: string, { texts }: Counted, rotations: number): string {
  const lines = texts.map(
    ({ calls, query }) => `${(calls / rotations).toFixed(2).padStart(6)}  ${query.slice(0, 160)}`,
  );
  return [`Per rotation, ${where}:`, ...lines].join('\n');
}
