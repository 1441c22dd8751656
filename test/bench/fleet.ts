import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, type RunningCli, startCli } from '../support/cli.ts';
import { openBull } from '../support/queue-backends.ts';
import { publishByHand } from './idle-policies.ts';
import { processorTime, progress, residentMemory, until, within } from './measure.ts';
import { many, QUICK } from './options.ts';
import { type Backend, openPlace, type Place } from './place.ts';
import { type Bar, figure, type Section, type Table } from './report.ts';
import { runToEnd } from './start-up.ts';
import { startCounting } from './statements.ts';
import { timeSweep } from './sweep-time.ts';

/** The bars are for what is idle indeed. Part (i) has one for probes. */
const IDLE = 'schedule: { every: 30d, at: "02:30", jitter: 6h }\n    probe: off';
/** A worker sweeps once a minute, so this has one sweep. */
const IDLE_S = 60;
const SETTLE_MS = 5_000;

/** A fleet to measure, and what it may cost. */
interface Fleet {
  readonly backend: Backend;
  readonly policies: number;
  /** How long a start may take before it is given up. */
  readonly patience: number;
  readonly most: {
    readonly first: number;
    readonly again?: number;
    readonly memory: number;
    readonly sweep: number;
  };
}

const TEN = many(10_000, 1_000);
const HUNDRED = 100_000;
const OF_TEN = { first: 6, again: 3, memory: 250, sweep: 100 };

const FLEETS: readonly Fleet[] = [
  { backend: 'PostgreSQL', policies: TEN, patience: 120, most: OF_TEN },
  { backend: 'Redis', policies: TEN, patience: 120, most: OF_TEN },
  ...(QUICK
    ? []
    : ([
        {
          backend: 'Redis',
          policies: HUNDRED,
          patience: 200,
          most: { first: 60, memory: 1_024, sweep: 1_000 },
        },
      ] as const)),
];

/** Not a number: not measured. */
interface Idle {
  /** Seconds that `keyturn validate` takes: a start reads the configuration, too. */
  configuration: number;
  first: number;
  /** Seconds from the first start until the queue has a scheduler for each policy. */
  schedulers: number;
  again: number;
  /** MiB. */
  memory: number;
  /** Milliseconds of a core in a minute. */
  processor: number;
  /** In the state database in a minute. */
  statements: number;
  /** Milliseconds. */
  sweep: number;
  /** Why the rest was not measured. */
  failure?: string;
}

const NOTHING: Idle = {
  configuration: Number.NaN,
  first: Number.NaN,
  schedulers: Number.NaN,
  again: Number.NaN,
  memory: Number.NaN,
  processor: Number.NaN,
  statements: Number.NaN,
  sweep: Number.NaN,
};

/** (f) What policies cost that have nothing to do. */
export async function measureFleet(): Promise<Section> {
  const found: { readonly fleet: Fleet; readonly idle: Idle }[] = [];
  for (const fleet of FLEETS) found.push({ fleet, idle: await measureIdle(fleet) });
  return { tables: [idleTable(found)], bars: found.flatMap(barsOf) };
}

async function measureIdle(fleet: Fleet): Promise<Idle> {
  const idle: Idle = { ...NOTHING };
  progress(`${fleet.policies} idle policies, the queue on ${fleet.backend}`);
  await using place = await openPlace({ policies: fleet.policies, backend: fleet.backend });
  await place.configure(IDLE);
  await publishByHand(place);
  try {
    progress('the configuration');
    const { wall } = await runToEnd(place.workspace.folder, [MAIN, 'validate'], fleet.patience);
    idle.configuration = wall / 1_000;
    progress('the first start');
    idle.first = await withWorker(place, fleet, async (_, seconds) => {
      idle.schedulers = seconds + (await untilScheduled(place, fleet));
      return seconds;
    });
    progress('the next start');
    idle.again = await withWorker(place, fleet, async (worker, seconds) => {
      Object.assign(idle, await watchIdle(place, Number(worker.process.pid)));
      return seconds;
    });
    progress('a sweep');
    idle.sweep = await within(fleet.patience, 'a sweep', timeSweep(place));
  } catch (error) {
    idle.failure = error instanceof Error ? error.message : String(error);
    progress(idle.failure);
  }
  return idle;
}

/** Runs `keyturn start` until it is ready, and stops it at the end. */
async function withWorker<Result>(
  { workspace }: Place,
  { patience }: Fleet,
  act: (worker: RunningCli, seconds: number) => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  await using worker = startCli(['start'], { cwd: workspace.folder, env: { KEYTURN_LOG_LEVEL: 'warn' } });
  try {
    await within(patience, 'from start to ready', worker.says('keyturn is ready'));
    return await act(worker, (performance.now() - began) / 1_000);
  } catch (error) {
    worker.process.kill('SIGKILL');
    throw error;
  }
}

/** How many seconds it takes until each policy has a scheduler. */
async function untilScheduled(place: Place, { policies, patience }: Fleet): Promise<number> {
  const began = performance.now();
  const bull = openBull(place.queue);
  try {
    // The sweep has one, too.
    const areThere = async () => (await bull.getJobSchedulersCount()) > policies;
    await until(patience, 'a scheduler for each policy', areThere);
  } finally {
    await bull.close();
  }
  return (performance.now() - began) / 1_000;
}

async function watchIdle(
  place: Place,
  pid: number,
): Promise<Pick<Idle, 'memory' | 'processor' | 'statements'>> {
  await sleep(SETTLE_MS);
  const count = await startCounting(place);
  const before = await processorTime(pid);
  await sleep(IDLE_S * 1_000);
  const after = await processorTime(pid);
  const { state } = await count();
  return {
    memory: await residentMemory(pid),
    processor: after.own - before.own,
    statements: state.statements,
  };
}

function idleTable(found: readonly { readonly fleet: Fleet; readonly idle: Idle }[]): Table {
  return {
    title: `Policies that publish something and are not due. Idle for ${IDLE_S} s, with one sweep.`,
    head: [
      'policies',
      'queue',
      'configuration, s',
      'ready first, s',
      'all schedulers, s',
      'again, s',
      'memory, MiB',
      'processor, ms a minute',
      'statements a minute',
      'a sweep, ms',
    ],
    rows: found.map(({ fleet, idle }) => [
      String(fleet.policies),
      fleet.backend,
      ...[
        idle.configuration,
        idle.first,
        idle.schedulers,
        idle.again,
        idle.memory,
        idle.processor,
        idle.statements,
        idle.sweep,
      ].map((number) => figure(number)),
    ]),
    notes: [
      'The configuration is what `keyturn validate` takes, which a start has to do first: mostly the YAML library.',
      'Measured with `probe: off`. With the default probe, every 15 minutes, 10,000 policies log in 11 times a second: see part (i).',
      'Statements are those in the state database. A sweep is timed in a process of its own that has done one before.',
      ...found.flatMap(({ fleet, idle }) =>
        idle.failure === undefined ? [] : [`${fleet.policies} on ${fleet.backend}: ${idle.failure}.`],
      ),
    ],
  };
}

function barsOf({ fleet, idle }: { readonly fleet: Fleet; readonly idle: Idle }): Bar[] {
  const { first, again, memory, sweep } = fleet.most;
  const name = `${fleet.policies} on ${fleet.backend}`;
  return [
    { what: `${name}, ready the first time`, found: idle.first, most: first, unit: 's' },
    ...(again === undefined
      ? []
      : [{ what: `${name}, ready again`, found: idle.again, most: again, unit: 's' }]),
    { what: `${name}, memory`, found: idle.memory, most: memory, unit: 'MiB' },
    ...(fleet.policies === HUNDRED
      ? []
      : [
          { what: `${name}, processor`, found: idle.processor / (IDLE_S * 10), most: 1, unit: '% of a core' },
        ]),
    { what: `${name}, a sweep`, found: idle.sweep, most: sweep, unit: 'ms' },
  ];
}
