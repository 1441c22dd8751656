import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { QUEUE_BACKENDS } from '../support/queue-backends.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

describe.concurrent.each(QUEUE_BACKENDS)('with the queue on %s', (_name, open, available) => {
  test.skipIf(!available)(
    'a worker that was stopped for longer than its lock, and wakes up two rotations later, changes nothing (G1, G4)',
    async () => {
      await using place = await open();
      await using workspace = await openWorkspace(inject('postgres'));
      const run = (...args: string[]) => cli(args, { cwd: workspace.folder });
      const configure = (verify: string) =>
        workspace.configure(
          filePolicy(workspace.logins, `    verify: ["${verify}"]\n`),
          'redis' in place.backend ? { redis: place.backend.redis } : {},
        );
      // In this process: starting another takes as long as what is to be caught, where the machine is busy.
      const history = async () =>
        JSON.parse((await keyturn(['history', '--json'], { cwd: workspace.folder })).stdout);
      const lastStep = async () => (await history())[0]?.steps.at(-1)?.name;

      // Slow enough to be caught in the middle.
      await configure('SELECT pg_sleep(15)');
      await run('rotate', 'app', '--inline');
      const slow = await startWorkerProcess(workspace.folder, 60_000);
      await run('rotate', 'app');
      await expect.poll(lastStep).toBe('verify');
      process.kill(slow.pid, 'SIGSTOP');
      await workspace.logIn();

      await configure('SELECT 1');
      const other = await startWorkerProcess(workspace.folder, 60_000);
      await expect.poll(async () => (await history())[0].status, { interval: 500 }).toBe('done');
      expect((await run('rotate', 'app', '--wait')).code).toBe(0);
      const before = await workspace.published();
      process.kill(slow.pid, 'SIGCONT');
      // Longer than what it was in the middle of, and than the next looks at its queue.
      const end = Date.now() + 6_000;
      while (Date.now() < end) {
        await workspace.logIn();
        await sleep(100);
      }
      expect(await workspace.published()).toEqual(before);
      expect((await history()).map(({ status }: { status: string }) => status)).toEqual([
        'done',
        'done',
        'done',
      ]);
      await Promise.all([slow.stop(), other.stop()]);
    },
    240_000,
  );
});
