import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { describe, inject, test } from 'vitest';
import { sweepJob } from '../../jobs/sweep.ts';
import type { Database } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { nextDue } from '../../src/rotation/due-rotation.ts';
import { QUEUE_BACKENDS } from '../support/queue-backends.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { openWorkspace } from '../support/workspace.ts';

const POLICIES = 10_000;
const PAST_ROTATIONS = 100;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function timed<Result>(act: () => Promise<Result> | Result): Promise<[milliseconds: number, Result]> {
  const began = performance.now();
  const result = await act();
  return [performance.now() - began, result];
}

const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(2)} s`;

function policyNamed(name: string): string {
  return `  ${name}:
    connection: db
    logins: ["${name}_a", "${name}_b"]
    schedule: { every: 30d, at: "02:30", jitter: 6h }
    publish: [{ store: files, secrets: { username: "${name}/username", password: "${name}/password" } }]
`;
}

/** What one round trip a policy costs: whatever asks the database about each by itself takes longer. */
async function roundTrips(pool: pg.Pool): Promise<number> {
  const [took] = await timed(async () => {
    for (let index = 0; index < POLICIES; index += 1) await pool.query('SELECT 1');
  });
  return took;
}

async function addPastRotations(pool: pg.Pool, from: number, to: number): Promise<void> {
  await pool.query(
    `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, status, finished_at)
     SELECT gen_random_uuid(), policy.name, 'schedule', 'benchmark', at, at, 'done', at
       FROM keyturn.policy, generate_series($1::int, $2::int) AS past,
            LATERAL (SELECT now() - past * interval '20 days' AS at) AS slot`,
    [from, to],
  );
  await pool.query('VACUUM ANALYZE keyturn.rotation');
}

describe.each(QUEUE_BACKENDS)('a fleet with the queue on %s', (backend, open, available) => {
  test.skipIf(!available)(`of ${POLICIES} policies`, async () => {
    await using place = await open();
    await using workspace = await openWorkspace(inject('postgres'));
    const names = Array.from({ length: POLICIES }, (_, index) => `policy-${index}`);
    await workspace.configure(
      `stores: { files: { type: file, path: secrets } }\npolicies:\n${names.map(policyNamed).join('')}`,
      'redis' in place.backend ? { redis: place.backend.redis } : {},
    );
    // All of them publish something, so that none is due its first rotation.
    for (const name of names) {
      const folder = join(workspace.folder, 'secrets', name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'username'), `${name}_a`);
      await writeFile(join(folder, 'password'), 'x');
    }
    const source = { path: 'config', env: {}, cwd: workspace.folder };
    const [loading, config] = await timed(() => loadConfig(source));
    const pool = new pg.Pool({ connectionString: workspace.stateUrl, max: 4 });
    const floor = await roundTrips(pool);
    print(
      `${backend}, ${POLICIES} policies; floor: ${POLICIES} round trips to the database take ${seconds(floor)}`,
    );
    const tell = (what: string, took: number) =>
      print(`  ${what.padEnd(52)} ${seconds(took).padStart(9)}  ${(took / floor).toFixed(2)} of the floor`);
    tell('load and check the configuration', loading);

    for (const which of ['start to ready, the first time', 'start to ready, again']) {
      const [took, worker] = await timed(() => startWorkerProcess(workspace.folder, 3_600_000));
      tell(which, took);
      const status = await readFile(`/proc/${worker.pid}/status`, 'utf8').catch(() => '');
      const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
      print(`  ${'resident memory of the worker then'.padEnd(52)} ${Math.round(resident / 1_024)} MiB`);
      await worker.stop();
    }

    const ledger: Ledger = await openLedger(pool, { now: Date.now });
    const log = pino({ level: 'silent' });
    const queue = openQueue(
      'redis' in place.backend ? place.backend : { database: config.stateDatabase as Database },
      {
        nextSlot: async (name, after) => {
          const policy = config.policies.get(name);
          return policy && nextDue(policy, await ledger.timing(name), after);
        },
        onFault: () => {},
      },
    );
    const sweep = sweepJob({
      ledger,
      queue,
      log,
      now: Date.now,
      policies: () => config.policies,
      isUnpublished: async () => false,
    });
    // The same latest rotation in both cases, so that only what lies behind it differs.
    const sweepAfter = async (from: number, to: number): Promise<number> => {
      await addPastRotations(pool, from, to);
      await sweep();
      const [took] = await timed(sweep);
      tell(`a sweep with nothing to do, ${to} past rotations each`, took);
      return took;
    };
    const one = await sweepAfter(1, 1);
    const many = await sweepAfter(2, PAST_ROTATIONS);
    print(`  ${PAST_ROTATIONS} times the history makes a sweep ${(many / one).toFixed(2)} times as long`);
    await queue.close();
    await pool.end();
  });
});
