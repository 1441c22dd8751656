import { rotateHere } from '../../src/cli/commands/rotate/rotate-here.ts';
import type { Event } from '../../src/ledger/rotation.ts';
import { type Floor, type LedgerRows, openFloor, type Times } from './floor.ts';
import { median, progress } from './measure.ts';
import { many } from './options.ts';
import { NO_DRAIN, openPlace, type Place } from './place.ts';
import { figure, type Section, type Table } from './report.ts';
import { type BenchApp, openBenchApp, openRotation, startWorker } from './request.ts';
import { seed } from './seed.ts';
import { type LedgerWatch, watchLedger } from './watch-ledger.ts';

const WARM_UP = 5;

/** The same rotation in four ways, in milliseconds. */
export interface OneRotation {
  readonly bare: Times;
  readonly honest: Times;
  /** By a worker, from the request on. */
  readonly worker: Times;
  /** In this process, without a queue. */
  readonly inline: Times;
  readonly rows: LedgerRows;
  /** Median of each step of the inline rotations, by the ledger. */
  readonly steps: ReadonlyMap<string, number>;
}

/** (a) One rotation, against the floors. */
export async function measureOneRotation(): Promise<Section> {
  await using place = await openPlace({ policies: 1 });
  await place.configure(NO_DRAIN);
  await seed(place);
  const found = await oneRotation(place, many(40, 10));
  return {
    tables: [timesTable(found), stepsTable(found)],
    bars: [
      {
        what: 'until published, of the bare floor',
        found: found.worker.published / found.bare.published,
        most: 3,
      },
    ],
  };
}

/** Measures each of the four in turn, so many times. */
export async function oneRotation(place: Place, rounds: number): Promise<OneRotation> {
  await using floor = await openFloor(place, 1, 1);
  await using app = await openBenchApp(place);
  await app.ledger();
  await using watch = await watchLedger(place);
  const worker = await startWorker(place);
  try {
    for (let round = 0; round < WARM_UP; round += 1) {
      await floor.rotate(0);
      await byWorker(app, watch);
      await inThisProcess(app, watch);
    }
    const rows = await countRows(place);
    return await inTurns({ floor, app, watch, rows, rounds });
  } finally {
    await worker.stop();
  }
}

async function inTurns({
  floor,
  app,
  watch,
  rows,
  rounds,
}: {
  readonly floor: Floor;
  readonly app: BenchApp;
  readonly watch: LedgerWatch;
  readonly rows: LedgerRows;
  readonly rounds: number;
}): Promise<OneRotation> {
  const times: Record<'bare' | 'honest' | 'worker' | 'inline', Times[]> = {
    bare: [],
    honest: [],
    worker: [],
    inline: [],
  };
  const ids: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 10 === 0) progress(`round ${round} of ${rounds}`);
    times.bare.push(await floor.rotate(0));
    times.honest.push(await floor.rotate(0, { rows }));
    times.worker.push(await byWorker(app, watch));
    const inline = await inThisProcess(app, watch);
    times.inline.push(inline);
    ids.push(inline.id);
  }
  const [bare, honest, worker, inline] = [times.bare, times.honest, times.worker, times.inline].map(
    medians,
  ) as [Times, Times, Times, Times];
  const steps = stepTimes(await (await app.ledger()).events(ids));
  return { bare, honest, worker, inline, rows, steps };
}

function medians(times: readonly Times[]): Times {
  return {
    published: median(times.map(({ published }) => published)),
    revoked: median(times.map(({ revoked }) => revoked)),
  };
}

async function byWorker(app: BenchApp, watch: LedgerWatch): Promise<Times> {
  const began = performance.now();
  const rotation = await openRotation(app, 'policy-0');
  await (await app.queue()).enqueue(rotation);
  const published = (await watch.published(rotation.id)) - began;
  return { published, revoked: (await watch.over(rotation.id)) - began };
}

/** As `keyturn rotate --inline` does. */
async function inThisProcess(app: BenchApp, watch: LedgerWatch): Promise<Times & { readonly id: string }> {
  const began = performance.now();
  const { id } = await openRotation(app, 'policy-0');
  const published = watch.published(id);
  const over = watch.over(id);
  await rotateHere(app, id, new AbortController().signal);
  return { id, published: (await published) - began, revoked: (await over) - began };
}

/** What the latest rotation has left in the ledger: a row of its own, and its history. */
export async function countRows({ state }: Place): Promise<LedgerRows> {
  const { rows } = await state.query<LedgerRows>(
    `SELECT 1 + pg_catalog.count(*) FILTER (WHERE event.at <= latest.published_at)::int AS "untilPublished",
            1 + pg_catalog.count(*)::int AS "untilRevoked"
       FROM (SELECT id, published_at FROM keyturn.rotation ORDER BY number DESC LIMIT 1) AS latest
       JOIN keyturn.event ON event.rotation = latest.id`,
  );
  const [found] = rows;
  if (!found) throw new Error('no rotation has run');
  return found;
}

/** How long each step took, from when the one before was done. */
function stepTimes(events: readonly Event[]): ReadonlyMap<string, number> {
  const times = new Map<string, number[]>();
  const before = new Map<string, number>();
  for (const { rotation, step, kind, at } of events) {
    const since = before.get(rotation);
    if (kind !== 'done') {
      if (since === undefined) before.set(rotation, at.getTime());
      continue;
    }
    if (since !== undefined) times.set(step, [...(times.get(step) ?? []), at.getTime() - since]);
    before.set(rotation, at.getTime());
  }
  return new Map([...times].map(([step, each]) => [step, median(each)]));
}

export function timesTable({ bare, honest, worker, inline, rows }: OneRotation): Table {
  const line = (what: string, times: Times) => [
    what,
    figure(times.published),
    figure(times.published / bare.published),
    figure(times.published / honest.published),
    figure(times.revoked),
    figure(times.revoked / bare.revoked),
    figure(times.revoked / honest.revoked),
  ];
  return {
    title: 'Medians. PostgreSQL has the queue, no session holds the outgoing login, no grace.',
    head: ['', 'published, ms', 'of bare', 'of honest', 'revoked, ms', 'of bare', 'of honest'],
    rows: [
      line('bare floor', bare),
      line('honest floor', honest),
      line('keyturn, by a worker', worker),
      line('keyturn, in this process', inline),
    ],
    notes: [
      `A rotation leaves ${rows.untilRevoked} rows in the ledger, ${rows.untilPublished} of them until it is published.`,
    ],
  };
}

function stepsTable({ steps }: OneRotation): Table {
  return {
    title: 'Where the time of a rotation in this process goes, by the ledger (medians).',
    head: [...steps.keys()].map((step) => `${step}, ms`),
    rows: [[...steps.values()].map((time) => figure(time))],
  };
}
