import { setTimeout as sleep } from 'node:timers/promises';
import { startWorkerProcess } from '../support/worker-process.ts';
import { progress } from './measure.ts';
import { many } from './options.ts';
import { BACKENDS, type Backend, NO_DRAIN, openPlace } from './place.ts';
import { figure, type Section } from './report.ts';
import { openBenchApp, queueAll, untilAllOver } from './request.ts';
import { seed } from './seed.ts';
import { type Counted, type Counts, startCounting } from './statements.ts';

const NEVER_MS = 3_600_000;
/** Sessions tell PostgreSQL of themselves once a second. */
const STATISTICS_MS = 1_500;

/** (c) What one rotation sends and opens, in a run of so many. */
export async function measureCost(): Promise<Section> {
  const rotations = many(100, 20);
  const found: { readonly backend: Backend; readonly counts: Counts }[] = [];
  for (const backend of BACKENDS) {
    progress(`${rotations} rotations, the queue on ${backend}`);
    found.push({ backend, counts: await countCost(backend, rotations) });
  }
  const each = (count: number) => count / rotations;
  const [postgres, redis] = found;
  if (!postgres || !redis) throw new Error('both backends are measured');
  return {
    tables: [
      {
        title: `Per rotation, in a run of ${rotations} without a drain, by one worker.`,
        head: [
          'queue',
          'statements on the target',
          'sessions there',
          'statements in the state database',
          'sessions there',
        ],
        rows: found.map(({ backend, counts: { target, state } }) => [
          backend,
          ...[target.statements, target.sessions, state.statements, state.sessions].map((count) =>
            figure(each(count)),
          ),
        ]),
        notes: [
          'With the queue on PostgreSQL, the statements of BullMQ count too. With Redis, only those of the ledger are left.',
        ],
      },
    ],
    bars: [
      { what: 'statements on the target', found: each(postgres.counts.target.statements), most: 12 },
      { what: 'statements of the ledger', found: each(redis.counts.state.statements), most: 12 },
      { what: 'sessions on the target', found: each(postgres.counts.target.sessions), most: 2.3 },
    ],
    details: [
      textsOf('the target', postgres.counts.target, rotations),
      textsOf('the state database with the queue', postgres.counts.state, rotations),
      textsOf('the state database without the queue', redis.counts.state, rotations),
    ],
  };
}

/** Rotates so many policies once, all due at once. */
export async function countCost(backend: Backend, rotations: number): Promise<Counts> {
  await using place = await openPlace({ policies: rotations, backend });
  await place.configure(NO_DRAIN);
  await seed(place);
  await using app = await openBenchApp(place);
  const { go } = await queueAll(place, app);
  const worker = await startWorkerProcess(place.workspace.folder, NEVER_MS);
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
  return [`Per rotation, on ${where}:`, ...lines].join('\n');
}
