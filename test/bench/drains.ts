import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inParallel, processorTime, progress, until } from './measure.ts';
import { many } from './options.ts';
import { loginsOf, openPlace, PASSWORD, type Place } from './place.ts';
import { figure, type Section } from './report.ts';
import { openBenchApp, queueAll, startWorker } from './request.ts';
import { seed } from './seed.ts';
import { type Counts, ofLedger, startCounting } from './statements.ts';

const SWEEP_MS = 60_000;
const PATIENCE_S = 420;
const DRAIN = 'drain: { grace: 0s, timeout: 12h }';

/** (g) Very many policies that drain on one server: a session holds each outgoing login. */
export async function measureDrains(): Promise<Section> {
  const policies = many(500, 50);
  const seconds = many(60, 20);
  await using place = await openPlace({ policies, settings: { max_connections: String(policies + 100) } });
  await place.configure(DRAIN);
  progress(`${policies} policies are brought to rest`);
  await seed(place);
  await using _held = await holdLogins(place);
  await using app = await openBenchApp(place);
  const { go } = await queueAll(place, app);
  const worker = await startWorker(place, SWEEP_MS);
  try {
    await go();
    await untilDraining(place);
    progress('all of them drain');
    await sleep(many(15_000, 5_000));
    const count = await startCounting(place);
    const before = await processorTime(worker.pid);
    await sleep(seconds * 1_000);
    const after = await processorTime(worker.pid);
    const counts = await count();
    return report(counts, { policies, seconds, processor: after.own - before.own });
  } finally {
    await worker.stop();
  }
}

/** A session of each published login, as applications have them. */
async function holdLogins({ target, workspace, policies }: Place): Promise<AsyncDisposable> {
  const clients: pg.Client[] = [];
  const { host, port } = target;
  await inParallel(policies.length, 8, async (index) => {
    const [user] = loginsOf(policies[index] ?? '');
    const client = new pg.Client({ host, port, database: workspace.target, user, password: PASSWORD });
    client.on('error', () => {});
    await client.connect();
    clients.push(client);
  });
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
    },
  };
}

async function untilDraining({ state, policies }: Place): Promise<void> {
  await until(
    PATIENCE_S,
    'all policies published and draining',
    async () => {
      const { rows } = await state.query(
        "SELECT pg_catalog.count(*)::int AS count FROM keyturn.rotation WHERE status = 'open' AND published_at IS NOT NULL",
      );
      return rows[0].count === policies.length;
    },
    250,
  );
}

function report(
  { target, state }: Counts,
  {
    policies,
    seconds,
    processor,
  }: { readonly policies: number; readonly seconds: number; readonly processor: number },
): Section {
  const perSecond = target.statements / seconds;
  return {
    tables: [
      {
        title: `${policies} policies that drain on one server, watched for ${seconds} s.`,
        head: ['what', 'per second'],
        rows: [
          ['statements on the target', figure(perSecond)],
          ['sessions opened on the target', figure(target.sessions / seconds)],
          ['statements of the ledger', figure(ofLedger(state) / seconds)],
          ['others in the state database', figure((state.statements - ofLedger(state)) / seconds)],
          ['processor time of the worker', figure(processor / seconds, 'ms')],
        ],
      },
    ],
    bars: [{ what: 'statements per second on the target', found: perSecond, most: 2 }],
  };
}
