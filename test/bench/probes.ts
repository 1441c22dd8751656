import { setTimeout as sleep } from 'node:timers/promises';
import { processorTime, progress } from './measure.ts';
import { many } from './options.ts';
import { openPlace, type Place } from './place.ts';
import { figure, type Section } from './report.ts';
import { startWorker } from './request.ts';
import { seed } from './seed.ts';

const DATABASES = 10;
const SWEEP_MS = 60_000;
const SETTLE_MS = 20_000;
/** As the default configuration has it. */
const MAX_SESSIONS = 4;
const POLL_MS = 25;

/** (i) What it costs to probe very many policies, every 15 minutes each. */
export async function measureProbes(): Promise<Section> {
  const policies = many(10_000, 500);
  const seconds = many(120, 30);
  await using place = await openPlace({
    policies,
    databases: DATABASES,
    targetSettings: { max_connections: '200' },
  });
  progress(`${policies} policies are brought to rest`);
  await seed(place);
  const idle = await measure(place, { probe: 'off', seconds });
  const probing = await measure(place, { probe: '{ every: 15m }', seconds });
  const share = probing.processor / (seconds * 10);
  return {
    tables: [
      {
        title: `${policies} policies on ${DATABASES} connections, watched for ${seconds} s.`,
        head: ['what', 'probe: off', 'every 15 minutes'],
        rows: [
          ['logins that were proven', String(idle.proofs), String(probing.proofs)],
          ['processor time of the worker', ms(idle.processor, seconds), ms(probing.processor, seconds)],
          ['sessions at once on a connection', String(idle.sessions), String(probing.sessions)],
        ],
        notes: ['Processor time is in milliseconds a second.'],
      },
    ],
    bars: [
      { what: 'processor, with probes', found: share, most: 10, unit: '% of a core' },
      {
        what: 'logins that were proven',
        found: probing.proofs,
        least: Math.floor((policies * seconds) / 900 / 2),
      },
      { what: 'sessions at once on a connection', found: probing.sessions, most: MAX_SESSIONS },
    ],
  };
}

const ms = (time: number, seconds: number) => figure(time / seconds);

interface Measured {
  readonly proofs: number;
  /** Milliseconds. */
  readonly processor: number;
  readonly sessions: number;
}

async function measure(
  place: Place,
  { probe, seconds }: { readonly probe: string; readonly seconds: number },
): Promise<Measured> {
  progress(`probe: ${probe}`);
  await place.configure(`probe: ${probe}`);
  const worker = await startWorker(place, SWEEP_MS);
  try {
    await sleep(SETTLE_MS);
    const before = await processorTime(worker.pid);
    const { proofs, sessions } = await watchSessions(place, seconds);
    const after = await processorTime(worker.pid);
    return { proofs, sessions, processor: after.own - before.own };
  } finally {
    await worker.stop();
  }
}

/** How many logins were proven, and how many sessions of keyturn one database had at once. */
async function watchSessions(
  { admin }: Place,
  seconds: number,
): Promise<Pick<Measured, 'proofs' | 'sessions'>> {
  const deadline = performance.now() + seconds * 1_000;
  const opened = async () => {
    const { rows } = await admin.query<{ sessions: number }>(
      'SELECT pg_catalog.sum(sessions)::int AS sessions FROM pg_catalog.pg_stat_database',
    );
    return rows[0]?.sessions ?? 0;
  };
  const before = await opened();
  let sessions = 0;
  while (performance.now() < deadline) {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT pg_catalog.count(*)::int AS count FROM pg_catalog.pg_stat_activity
        WHERE application_name = 'keyturn rotator' GROUP BY datname ORDER BY count DESC LIMIT 1`,
    );
    sessions = Math.max(sessions, rows[0]?.count ?? 0);
    await sleep(POLL_MS);
  }
  return { proofs: (await opened()) - before, sessions };
}
