import { spawn } from 'node:child_process';
import pg from 'pg';
import { MAIN, startCli } from '../support/cli.ts';
import { median, processorTime, progress, within } from './measure.ts';
import { many } from './options.ts';
import { NO_DRAIN, openPlace, type Place } from './place.ts';
import { type Bar, figure, type Section } from './report.ts';
import { openBenchApp } from './request.ts';
import { seed } from './seed.ts';

const PATIENCE_S = 60;

/** Milliseconds. */
interface Start {
  readonly wall: number;
  readonly processor: number;
}

const COMMANDS: readonly {
  readonly what: string;
  readonly args: readonly string[];
  readonly most?: number;
}[] = [
  { what: 'node -e 0', args: ['-e', '0'] },
  { what: 'keyturn --help', args: [MAIN, '--help'], most: 2.5 },
  { what: 'keyturn validate', args: [MAIN, 'validate'], most: 4 },
  { what: 'keyturn status', args: [MAIN, 'status'] },
];
const INLINE = 'keyturn rotate --inline, until its first step';
const INLINE_MOST = 10;

/** (h) How long commands take to start, against Node.js itself. */
export async function measureStartUp(): Promise<Section> {
  await using place = await openPlace({ policies: 1 });
  await place.configure(NO_DRAIN);
  await seed(place);
  {
    // Brings the tables of the queue up to date, which only a first start has to do.
    await using app = await openBenchApp(place);
    await app.queue();
  }
  const starts = new Map<string, Start[]>();
  const keep = (what: string, start: Start) => starts.set(what, [...(starts.get(what) ?? []), start]);
  const rounds = many(15, 5);
  await using first = await watchFirstStep(place);
  for (let round = 0; round < rounds; round += 1) {
    if (round % 5 === 0) progress(`round ${round} of ${rounds}`);
    for (const { what, args } of COMMANDS) keep(what, await runToEnd(place.workspace.folder, args));
    keep(INLINE, await runToFirstStep(place.workspace.folder, first));
  }
  return report(starts);
}

export async function runToEnd(cwd: string, args: readonly string[], patience = PATIENCE_S): Promise<Start> {
  const before = await processorTime('self');
  const began = performance.now();
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore' });
  const code = await within(patience, args.join(' '), new Promise((ended) => child.once('close', ended)));
  const wall = performance.now() - began;
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  const after = await processorTime('self');
  return { wall, processor: after.children - before.children };
}

interface FirstStep extends AsyncDisposable {
  /** Resolves when a step is recorded next. */
  next(): Promise<void>;
}

/** The ledger's first line of a rotation is at the earliest when its first step begins. */
async function watchFirstStep({ state, workspace }: Place): Promise<FirstStep> {
  await state.query(`CREATE SCHEMA IF NOT EXISTS bench;
    CREATE FUNCTION bench.tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_catalog.pg_notify('bench_event', ''); RETURN NULL; END $$;
    CREATE TRIGGER bench_tell_event AFTER INSERT ON keyturn.event FOR EACH ROW EXECUTE FUNCTION bench.tell_event()`);
  const client = new pg.Client(workspace.stateUrl);
  client.on('error', () => {});
  await client.connect();
  await client.query('LISTEN bench_event');
  return {
    next: () => new Promise((resolve) => client.once('notification', () => resolve())),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function runToFirstStep(cwd: string, first: FirstStep): Promise<Start> {
  const next = first.next();
  const began = performance.now();
  await using command = startCli(['rotate', 'policy-0', '--inline'], { cwd });
  await within(PATIENCE_S, INLINE, next);
  const wall = performance.now() - began;
  const { own } = await processorTime(Number(command.process.pid));
  const code = await within(PATIENCE_S, INLINE, command.exited);
  if (code !== 0) throw new Error(`${INLINE} ended with ${code}: ${command.stderr()}`);
  return { wall, processor: own };
}

function report(starts: ReadonlyMap<string, readonly Start[]>): Section {
  const medianOf = (what: string, which: keyof Start) =>
    median((starts.get(what) ?? []).map((start) => start[which]));
  const ratio = (what: string, which: keyof Start) => medianOf(what, which) / medianOf('node -e 0', which);
  const commands = [...COMMANDS, { what: INLINE, most: INLINE_MOST }];
  const bars: Bar[] = commands.flatMap(({ what, most }) =>
    most === undefined ? [] : [{ what: `${what}, of node -e 0`, found: ratio(what, 'wall'), most }],
  );
  return {
    tables: [
      {
        title: 'Medians.',
        head: ['command', 'wall, ms', 'of node -e 0', 'processor, ms', 'of node -e 0'],
        rows: commands.map(({ what }) => [
          what,
          figure(medianOf(what, 'wall')),
          figure(ratio(what, 'wall')),
          figure(medianOf(what, 'processor')),
          figure(ratio(what, 'processor')),
        ]),
      },
    ],
    bars,
  };
}
