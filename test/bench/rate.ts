import type { WorkerProcess } from '../support/worker-process.ts';
import { type Floor, type LedgerRows, openFloor } from './floor.ts';
import { inParallel, progress } from './measure.ts';
import { countRows } from './one-rotation.ts';
import { many } from './options.ts';
import { BACKENDS, type Backend, NO_DRAIN, openPlace, type Place } from './place.ts';
import { type Bar, figure, type Section, type Table } from './report.ts';
import { type BenchApp, openBenchApp, openRotation, queueAll, startWorker, untilAllOver } from './request.ts';
import { seed } from './seed.ts';
import { watchLedger } from './watch-ledger.ts';

/** A worker runs so many rotations at a time (src/queue/open-bull-worker.ts). */
const PER_WORKER = 8;
const IN_FLIGHT = [1, 8, 32] as const;
const PATIENCE_S = 240;

/** Rotations per second. */
interface Rates {
  readonly inFlight: number;
  readonly bare: number;
  readonly honest: number;
  readonly keyturn: number;
}

/** (b) Rotations per second, all due at once. */
export async function measureRate(): Promise<Section> {
  const tables: Table[] = [];
  const bars: Bar[] = [];
  const policies = many(128, 32);
  for (const backend of BACKENDS) {
    const rates = await ratesOn(backend, policies);
    tables.push(ratesTable(backend, policies, rates));
    const eight = rates.find(({ inFlight }) => inFlight === 8);
    const of = (floor: number | undefined) => (eight?.keyturn ?? Number.NaN) / (floor ?? Number.NaN);
    bars.push(
      { what: `8 in flight, ${backend}, of the bare floor`, found: of(eight?.bare), least: 0.5 },
      { what: `8 in flight, ${backend}, of the honest floor`, found: of(eight?.honest), least: 0.8 },
    );
  }
  return { tables, bars };
}

async function ratesOn(backend: Backend, policies: number): Promise<Rates[]> {
  await using place = await openPlace({ policies, backend, settings: { max_connections: '300' } });
  await place.configure(NO_DRAIN);
  await seed(place);
  await using app = await openBenchApp(place);
  await using floor = await openFloor(place, policies, Math.max(...IN_FLIGHT));
  const rates: Rates[] = [];
  for (const inFlight of IN_FLIGHT) {
    progress(`${inFlight} in flight, the queue on ${backend}`);
    rates.push(await withWorkers(place, inFlight, () => measure(place, app, { floor, inFlight })));
  }
  return rates;
}

async function withWorkers<Result>(
  place: Place,
  inFlight: number,
  act: () => Promise<Result>,
): Promise<Result> {
  const workers: WorkerProcess[] = [];
  try {
    for (let number = 0; number < Math.ceil(inFlight / PER_WORKER); number += 1) {
      workers.push(await startWorker(place));
    }
    return await act();
  } finally {
    for (const worker of workers) await worker.stop();
  }
}

/** keyturn between two runs of the floors, so that a machine that becomes slower is so for both. */
async function measure(
  place: Place,
  app: BenchApp,
  { floor, inFlight }: { readonly floor: Floor; readonly inFlight: number },
): Promise<Rates> {
  const keyturn = inFlight === 1 ? () => rateInTurn(place, app) : () => rateAtOnce(place, app);
  await keyturn();
  const rows = await countRows(place);
  const before = await floorRates(floor, inFlight, rows);
  const rate = await keyturn();
  const after = await floorRates(floor, inFlight, rows);
  return {
    inFlight,
    keyturn: rate,
    bare: (before.bare + after.bare) / 2,
    honest: (before.honest + after.honest) / 2,
  };
}

async function floorRates(floor: Floor, inFlight: number, rows: LedgerRows) {
  return { bare: await floor.rate(inFlight), honest: await floor.rate(inFlight, rows) };
}

/** Every policy once, all queued before the first begins. */
async function rateAtOnce(place: Place, app: BenchApp): Promise<number> {
  const { go } = await queueAll(place, app);
  const began = Date.now();
  await go();
  await untilAllOver(place, PATIENCE_S);
  const { rows } = await place.state.query<{ last: Date }>(
    'SELECT max(finished_at) AS last FROM keyturn.rotation',
  );
  return (place.policies.length * 1_000) / ((rows[0]?.last.getTime() ?? Number.NaN) - began);
}

/** A quarter of the policies, each asked for when the one before is over. */
async function rateInTurn(place: Place, app: BenchApp): Promise<number> {
  await using watch = await watchLedger(place);
  const count = place.policies.length / 4;
  const began = performance.now();
  await inParallel(count, 1, async (index) => {
    const rotation = await openRotation(app, place.policies[index] ?? '');
    await (await app.queue()).enqueue(rotation);
    await watch.over(rotation.id);
  });
  return (count * 1_000) / (performance.now() - began);
}

function ratesTable(backend: Backend, policies: number, rates: readonly Rates[]): Table {
  return {
    title: `Rotations per second, ${policies} due at once, the queue on ${backend}.`,
    head: ['in flight', 'workers', 'bare floor', 'honest floor', 'keyturn', 'of bare', 'of honest'],
    rows: rates.map(({ inFlight, bare, honest, keyturn }) => [
      String(inFlight),
      String(Math.ceil(inFlight / PER_WORKER)),
      ...[bare, honest, keyturn, keyturn / bare, keyturn / honest].map((number) => figure(number)),
    ]),
    notes: [
      `A worker runs ${PER_WORKER} rotations at a time. One in flight: the next is asked for when the last is over.`,
    ],
  };
}
