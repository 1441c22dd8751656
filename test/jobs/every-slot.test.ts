import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { jitterOffset } from '../../src/schedule/jitter-offset.ts';
import { adminOf } from '../support/admin.ts';
import { cli } from '../support/cli.ts';
import { QUEUE_BACKENDS, truncateQueue } from '../support/queue-backends.ts';
import { uniqueName } from '../support/unique-name.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { openWorkspace } from '../support/workspace.ts';

// Real time cannot be sped up in a queue, so the slots are: a year of nights is a minute and a half here. An interval
// must outlast by far the 15 s after which a killed worker's jobs are taken over, or slots would rightly be served together.
const POLICIES = 64;
const INTERVAL_MS = 40_000;
const SLOTS = 3;
const SWEEP_MS = 1_000;

describe.concurrent.each(QUEUE_BACKENDS)('with the queue on %s', (_name, open, available) => {
  test.skipIf(!available)(
    'each slot gets exactly one rotation, though workers start together and are killed and the queue is flushed (G4)',
    async ({ onTestFinished }) => {
      const server = inject('postgres');
      await using place = await open();
      await using workspace = await openWorkspace(server);
      await using admin = await adminOf(server);
      const names = Array.from(
        { length: POLICIES },
        (_, index) => `${uniqueName('slot').replace('_', '-')}-${index}`,
      );
      const logins = names.flatMap((name) => [`${name}-a`, `${name}-b`]);
      for (const login of logins) await admin.client.query(`CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`);
      const policies = names.map(
        (name) => `  ${name}:
    connection: db
    logins: ["${name}-a", "${name}-b"]
    schedule: { every: ${INTERVAL_MS / 1_000}s, jitter: ${INTERVAL_MS / 1_000}s }
    drain: { grace: 0s, timeout: 5s }
    publish: [{ store: files, create: true, secrets: { username: "${name}/username", password: "${name}/password" } }]
`,
      );
      await workspace.configure(
        `stores: { files: { type: file, path: secrets } }\npolicies:\n${policies.join('')}`,
        'redis' in place.backend ? { redis: place.backend.redis } : {},
      );
      const state = new pg.Pool({ connectionString: workspace.stateUrl, max: 1 });
      state.on('error', () => {});
      const flush = () => ('redis' in place.backend ? place.flush() : truncateQueue(state));

      const workers = await Promise.all([
        startWorkerProcess(workspace.folder, SWEEP_MS),
        startWorkerProcess(workspace.folder, SWEEP_MS),
      ]);
      onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.kill()))));
      const began = Date.now();
      // The first interval has only half its slots, and the last is left in peace, so that what was taken over is done.
      const counting = began + INTERVAL_MS * (SLOTS + 1.5);
      for (let round = 0; Date.now() < counting; round += 1) {
        await sleep(7_000);
        if (round % 3 === 2) await flush();
        const victim = round % 2;
        await workers[victim]?.kill();
        workers[victim] = await startWorkerProcess(workspace.folder, SWEEP_MS);
      }
      await sleep(INTERVAL_MS);
      const { stdout } = await cli(['history', '--json', '--limit', '10000'], { cwd: workspace.folder });
      await Promise.all(workers.map((worker) => worker.stop()));

      const rotations: { policy: string; status: string; reason: string; requestedAt: string }[] =
        JSON.parse(stdout);
      expect(rotations.filter(({ status }) => status === 'failed')).toEqual([]);
      const { rows } = await state.query<{ policy: string; slots: string[] }>(
        'SELECT policy, array_agg(extract(epoch FROM slot) * 1000 ORDER BY slot) AS slots FROM keyturn.rotation WHERE slot IS NOT NULL GROUP BY policy',
      );
      const { rows: seen } = await state.query<{ name: string; at: Date }>(
        'SELECT name, first_seen_at AS at FROM keyturn.policy',
      );
      await state.end();
      let counted = 0;
      for (const name of names) {
        const slots = (rows.find(({ policy }) => policy === name)?.slots ?? []).map(Number);
        // Those that the schedule names: intervals from the first rotation and the policy's own jitter or, where a slot
        // came before that, from when the policy was first seen.
        const jitter = jitterOffset(name, INTERVAL_MS);
        const [first, ...others] = rotations.filter(
          ({ policy, reason }) => policy === name && reason === 'first',
        );
        expect(others).toEqual([]);
        const firstSeen = seen.find((policy) => policy.name === name)?.at.getTime() ?? Number.NaN;
        const from = (first ? Date.parse(first.requestedAt) : firstSeen) + jitter;
        const due: number[] = [];
        for (let slot = from + INTERVAL_MS; slot < counting; slot += INTERVAL_MS) due.push(slot);
        expect(
          slots.filter((slot) => slot < counting),
          name,
        ).toEqual(due);
        counted += due.length;
      }
      expect(counted).toBeGreaterThanOrEqual(200);
      for (const login of logins) await admin.client.query(`DROP ROLE ${quoteIdentifier(login)}`);
    },
    420_000,
  );
});
