import { setTimeout as sleep } from 'node:timers/promises';
import { adminOf } from '../support/admin.ts';
import { percentile, progress, until } from './measure.ts';
import { many } from './options.ts';
import { OTHERS, type Others, startOthers } from './other-clients.ts';
import { NO_DRAIN, openPlace, type Place, ROTATOR } from './place.ts';
import { figure, type Section } from './report.ts';
import { startWorker } from './request.ts';
import { seed } from './seed.ts';

const MAX_CONNECTIONS = 40;
/** A worker sweeps as often as `keyturn start` does. */
const SWEEP_MS = 60_000;
/** How long before the slot the worker is started. */
const LEAD_MS = 45_000;
/** A rotation that is not published by then counts as never published. */
const PATIENCE_S = many(420, 120);
const WATCH_MS = 15;

/** The most sessions that keyturn had on the target's server at once. */
interface Peak {
  rotator: number;
  logins: number;
  all: number;
}

interface Rush {
  readonly slot: number;
  readonly peak: Peak;
  readonly others: Others;
  /** Whether the slot had passed when the worker was ready. */
  readonly isLate: boolean;
}

/** (e) Very many policies due at one instant, on a server that has few connections and other clients. */
export async function measureSlotRush(): Promise<Section> {
  const policies = many(1_000, 100);
  await using place = await openPlace({
    policies,
    targetSettings: { max_connections: String(MAX_CONNECTIONS) },
  });
  await place.configure(NO_DRAIN);
  progress(`${policies} policies are brought to rest`);
  await seed(place);
  const slot = await scheduleAll(place);
  const worker = await startWorker(place, SWEEP_MS);
  const isLate = Date.now() > slot;
  await sleep(Math.max(0, slot - 5_000 - Date.now()));
  const others = await startOthers(place);
  const watch = await watchSessions(place);
  try {
    await sleep(Math.max(0, slot - Date.now()));
    progress(isLate ? 'the worker was ready after the slot' : 'the slot is due');
    await untilAllDone(place, slot);
  } finally {
    await Promise.all([worker.stop(), watch.stop(), others.stop()]);
  }
  return await report(place, { slot, peak: watch.peak, others: await others.stop(), isLate });
}

/** Gives all policies one slot, once, soon. */
async function scheduleAll(place: Place): Promise<number> {
  const slot = Math.ceil((Date.now() + LEAD_MS) / 1_000) * 1_000;
  const at = new Date(slot);
  const cron = [
    at.getUTCSeconds(),
    at.getUTCMinutes(),
    at.getUTCHours(),
    at.getUTCDate(),
    at.getUTCMonth() + 1,
    '*',
  ];
  await place.configure(`${NO_DRAIN}\n    schedule: { cron: "${cron.join(' ')}" }`);
  return slot;
}

/** Waits in vain where keyturn is too slow: then the table says how many it has published. */
async function untilAllDone({ state, policies }: Place, slot: number): Promise<void> {
  const areDone = async () => {
    const { rows } = await state.query(
      "SELECT pg_catalog.count(*)::int AS count FROM keyturn.rotation WHERE slot = $1 AND status = 'done'",
      [new Date(slot)],
    );
    return rows[0].count === policies.length;
  };
  await until(PATIENCE_S, 'all rotations done', areDone).catch((error: Error) => progress(error.message));
}

/** Looks at the sessions of the target's server all the time. */
async function watchSessions({ target }: Place): Promise<{ readonly peak: Peak; stop(): Promise<void> }> {
  const { client, ...session } = await adminOf(target);
  const peak: Peak = { rotator: 0, logins: 0, all: 0 };
  const work = { isOver: false };
  const watching = (async () => {
    while (!work.isOver) {
      const { rows } = await client.query<{ rotator: number; logins: number }>(
        `SELECT pg_catalog.count(*) FILTER (WHERE usename = $1)::int AS rotator,
                pg_catalog.count(*) FILTER (WHERE usename LIKE 'policy%')::int AS logins
           FROM pg_catalog.pg_stat_activity`,
        [ROTATOR],
      );
      const { rotator = 0, logins = 0 } = rows[0] ?? {};
      peak.rotator = Math.max(peak.rotator, rotator);
      peak.logins = Math.max(peak.logins, logins);
      peak.all = Math.max(peak.all, rotator + logins);
      await sleep(WATCH_MS);
    }
  })();
  return {
    peak,
    async stop() {
      work.isOver = true;
      await watching;
      await session[Symbol.asyncDispose]();
    },
  };
}

/** Seconds from the slot; infinite for what never came. */
async function readTimes({ state, policies }: Place, slot: number) {
  const { rows } = await state.query<{ published: Date | null; finished: Date | null; failures: number }>(
    `SELECT published_at AS published, finished_at AS finished,
            (SELECT pg_catalog.count(*)::int FROM keyturn.event WHERE rotation = rotation.id AND kind = 'failed') AS failures
       FROM keyturn.rotation WHERE slot = $1`,
    [new Date(slot)],
  );
  const since = (at: Date | null | undefined) =>
    at ? (at.getTime() - slot) / 1_000 : Number.POSITIVE_INFINITY;
  return {
    published: policies.map((_, index) => since(rows[index]?.published)),
    finished: policies.map((_, index) => since(rows[index]?.finished)),
    failures: rows.reduce((sum, { failures }) => sum + failures, 0),
  };
}

async function report(place: Place, { slot, peak, others, isLate }: Rush): Promise<Section> {
  const { published, finished, failures } = await readTimes(place, slot);
  const refused = [...others.refusals.values()].reduce((sum, count) => sum + count, 0);
  const seconds = (time: number) =>
    Number.isFinite(time) ? figure(time, 's') : `not within ${PATIENCE_S} s`;
  const last = percentile(published, 99);
  return {
    tables: [
      {
        title: `${published.length} policies due at one instant, one worker, a server with max_connections = ${MAX_CONNECTIONS}, and ${OTHERS}.`,
        head: ['what', 'found'],
        rows: [
          ['published', figure(published.filter(Number.isFinite).length)],
          ['all published', seconds(Math.max(...published))],
          ['all over', seconds(Math.max(...finished))],
          ['slot to published, median', seconds(percentile(published, 50))],
          ['slot to published, 99 of 100', seconds(last)],
          ['sessions of the rotator at once, at most', figure(peak.rotator)],
          ['proofs at once, at most', figure(peak.logins)],
          ['sessions of keyturn at once, at most', figure(peak.all)],
          ['failed turns, each tried again', figure(failures)],
          ['connections of others meanwhile', figure(others.connected)],
          ['refusals that others saw', figure(refused)],
          ...[...others.refusals].map(([code, count]) => [`of these ${code}`, figure(count)]),
        ],
        ...(isLate ? { notes: ['The worker was not ready before the slot.'] } : {}),
      },
    ],
    bars: [
      { what: 'slot to published, 99 of 100', found: last, most: 60, unit: 's' },
      { what: 'refusals that others saw', found: refused, most: 0 },
      { what: 'sessions of the rotator at once', found: peak.rotator, most: 4 },
      { what: 'proofs at once', found: peak.logins, most: 8 },
    ],
  };
}
