import { randomBytes } from 'node:crypto';
import { describe, inject, test } from 'vitest';
import { keyturn } from '../support/keyturn.ts';
import { QUEUE_BACKENDS, type QueuePlace } from '../support/queue-backends.ts';
import { startHostile, startReceiver } from '../support/webhook-receiver.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const ROTATED = ['rotation.started', 'rotation.published', 'rotation.drained', 'rotation.completed'];
const SWEEP_MS = 1_000;

const webhook = (url: string, more = '') =>
  `{ type: webhook, url: "${url}", secrets: [${SECRET}], allowPrivate: true, timeout: 1s${more} }`;

async function configure(
  workspace: Workspace,
  place: QueuePlace,
  sinks: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = Object.entries(sinks).map(([name, entry]) => `    ${name}: ${entry}\n`);
  await workspace.configure(
    `events:\n  sinks:\n${entries.join('')}${filePolicy(workspace.logins)}`,
    'redis' in place.backend ? { redis: place.backend.redis } : {},
  );
}

async function rotate(workspace: Workspace): Promise<void> {
  const { code, stderr } = await keyturn(['rotate', 'app', '--wait'], { cwd: workspace.folder });
  if (code !== 0) throw new Error(stderr);
}

/** Ends a worker however the test ends. */
function ending(worker: WorkerProcess): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => (worker.hasEnded() ? Promise.resolve() : worker.kill()) };
}

describe.concurrent.each(QUEUE_BACKENDS)('with the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);

  it('a sink that was away gets every event once it is back, in order, while others get theirs and rotations go on', async ({
    expect,
  }) => {
    await using place = await open();
    await using workspace = await openWorkspace(inject('postgres'));
    await using never = await startHostile(() => {});
    await using works = await startReceiver(SECRET);
    await using away = await startReceiver(SECRET);
    away.answer(503);
    await configure(workspace, place, {
      away: webhook(away.url),
      never: webhook(never.url),
      works: webhook(works.url),
    });
    const worker = await startWorkerProcess(workspace.folder, SWEEP_MS);
    await using _ending = ending(worker);
    for (let time = 0; time < 2; time += 1) await rotate(workspace);
    const all = [...ROTATED, ...ROTATED];
    await expect.poll(() => works.types(), { timeout: 60_000 }).toEqual(all);
    expect(away.types()).toEqual([]);
    expect(new Set(away.received.map(({ event }) => event?.id)).size).toBe(1);

    away.answer(204);
    await expect.poll(() => away.types(), { timeout: 60_000 }).toEqual(all);
    const mentions = worker
      .log()
      .split('\n')
      .filter((line) => line.includes('"sink":"away"'));
    expect(mentions.map((line) => JSON.parse(line).code)).toEqual([
      'event-not-delivered',
      'sink-works-again',
    ]);
    await worker.stop();
    expect(worker.log()).not.toContain(SECRET);
  }, 240_000);

  it('no event is lost when the worker is killed between commit and delivery, nor twice under another id', async ({
    expect,
  }) => {
    await using place = await open();
    await using workspace = await openWorkspace(inject('postgres'));
    let asked = 0;
    // Takes an event, and never says so: the worker is killed while it waits.
    await using silent = await startHostile(() => {
      asked += 1;
    });
    await configure(workspace, place, { ops: webhook(silent.url) });
    const killed = await startWorkerProcess(workspace.folder, SWEEP_MS);
    await using _first = ending(killed);
    await rotate(workspace);
    await expect.poll(() => asked).toBeGreaterThanOrEqual(1);
    await killed.kill();
    await place.flush();

    await using receiver = await startReceiver(SECRET);
    await configure(workspace, place, { ops: webhook(receiver.url) });
    const next = await startWorkerProcess(workspace.folder, SWEEP_MS);
    await using _second = ending(next);
    await expect.poll(() => receiver.types().slice(-4), { timeout: 60_000 }).toEqual(ROTATED);
    const ids = receiver.received.map(({ event }) => event?.id);
    expect(new Set(ids).size).toBe(ids.length);
    await next.stop();
  }, 240_000);
});
