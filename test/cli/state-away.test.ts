import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { cli, startCli } from '../support/cli.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

test('a worker takes jobs again as soon as its state database is back (G5)', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  const url = new URL(workspace.stateUrl);
  const server = { host: url.hostname, port: Number(url.port) };
  const first = await startTcpProxy(server);
  url.port = String(first.port);
  await workspace.configure(filePolicy(workspace.logins), { state: url.href });
  await using worker = startCli(['start'], { cwd: workspace.folder });
  await worker.says('keyturn is ready');

  await first[Symbol.asyncDispose]();
  await worker.says('the state database');
  // The next fetch is refused in this time.
  await sleep(1_000);
  await using _again = await startTcpProxy({ ...server, listen: first.port });
  // It gives a worker five seconds to show itself.
  const rotated = await cli(['rotate', 'app', '--wait'], { cwd: workspace.folder });
  expect(rotated, worker.stderr()).toMatchObject({ code: 0 });
});
