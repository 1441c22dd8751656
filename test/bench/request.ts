import { randomUUID } from 'node:crypto';
import { openApp } from '../../src/app.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { openBull } from '../support/queue-backends.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import { inParallel, until, within } from './measure.ts';
import type { Place } from './place.ts';

export type BenchApp = Awaited<ReturnType<typeof openApp>>;

/** keyturn in this process, as `keyturn rotate` has it. It runs no worker. */
export function openBenchApp({ workspace }: Place): Promise<BenchApp> {
  return openApp({ configPath: 'config', env: { KEYTURN_LOG_LEVEL: 'silent' }, cwd: workspace.folder });
}

const NEVER_MS = 3_600_000;
const START_PATIENCE_S = 180;

/** A worker in a process of its own. By default it does not sweep after its first time. */
export function startWorker({ workspace }: Place, sweepInterval = NEVER_MS): Promise<WorkerProcess> {
  return within(START_PATIENCE_S, 'a worker ready', startWorkerProcess(workspace.folder, sweepInterval));
}

/** Opens a rotation in the ledger, as `keyturn rotate` does. */
export async function openRotation(app: BenchApp, policy: string): Promise<Rotation> {
  const ledger = await app.ledger();
  const rotation = await ledger.request({ id: randomUUID(), policy, reason: 'manual', requestedBy: 'bench' });
  if (!rotation) throw new Error(`no rotation of ${policy} was opened`);
  return rotation;
}

/** Queues a rotation of every policy, while no worker takes a job, and lets the workers go at once. */
export async function queueAll(place: Place, app: BenchApp): Promise<{ readonly go: () => Promise<void> }> {
  const queue = await app.queue();
  const bull = openBull(place.queue);
  await bull.pause();
  await inParallel(place.policies.length, 8, async (index) => {
    await queue.enqueue(await openRotation(app, place.policies[index] ?? ''));
  });
  return {
    async go() {
      await bull.resume();
      await bull.close();
    },
  };
}

/** Waits until no rotation is open, and tells of none that failed. */
export async function untilAllOver({ state }: Place, seconds: number): Promise<void> {
  await until(seconds, 'all rotations over', async () => {
    const { rows } = await state.query(
      "SELECT pg_catalog.count(*)::int AS open FROM keyturn.rotation WHERE status = 'open'",
    );
    return rows[0].open === 0;
  });
  const { rows } = await state.query(
    "SELECT policy, last_fault FROM keyturn.rotation WHERE status = 'failed' LIMIT 1",
  );
  if (rows[0])
    throw new Error(`a rotation of ${rows[0].policy} failed: ${JSON.stringify(rows[0].last_fault)}`);
}
