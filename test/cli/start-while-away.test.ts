import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startCli } from '../support/cli.ts';
import { startFlakyProxy } from '../support/flaky-proxy.ts';
import { QUEUE_BACKENDS } from '../support/queue-backends.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterAll(() => workspace[Symbol.asyncDispose]());

describe.each(QUEUE_BACKENDS)('keyturn start with the queue on %s', (_name, open, available) => {
  const it = test.skipIf(!available);

  // A start on PostgreSQL takes about ten connections, and one with Redis about four.
  it.each([1, 3, 6])(
    'waits for a state database that goes away after its first %i connections, and comes up with it (G5)',
    async (good) => {
      await using place = await open();
      const url = new URL(workspace.stateUrl);
      await using proxy = await startFlakyProxy({ host: url.hostname, port: Number(url.port) }, good);
      url.port = String(proxy.port);
      await workspace.configure(filePolicy(workspace.logins, '    schedule: { every: 30d }\n'), {
        state: url.href,
        ...('redis' in place.backend ? { redis: place.backend.redis } : {}),
      });
      await using worker = startCli(['start'], { cwd: workspace.folder });
      await worker.says('keyturn is ready');
      worker.process.kill('SIGTERM');
      expect(await worker.exited).toBe(0);
    },
  );
});
