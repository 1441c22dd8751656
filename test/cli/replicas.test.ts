import { expect, test } from 'vitest';
import { keyturn } from '../support/keyturn.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { startReplica } from '../support/replica.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

test('a connection with a replica rotates; when that is down, plan and status say so until it is removed (G6)', async () => {
  await using server = await startPostgres();
  await using replica = await startReplica(server);
  await using workspace = await openWorkspace(server);
  const [a, b] = workspace.logins;
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const policy = filePolicy(workspace.logins);
  await workspace.configure(policy, {
    connection: { replicas: [{ host: '127.0.0.1', port: replica.port }] },
  });
  await replica.catchUp();
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  const status = async () => JSON.parse((await run('status', '--json')).stdout)[0];
  expect(await status()).toMatchObject({ active: a, sessions: { [a]: 0, [b]: 0 }, lastError: null });

  await replica.stop('immediate');
  const told = expect.stringMatching(
    `Replica 127.0.0.1:${replica.port}: .*ECONNREFUSED.* If it is gone, remove it from the replicas of connection db`,
  );
  expect(await status()).toMatchObject({ active: a, sessions: null, lastError: told });
  expect((await run('plan', 'app')).stdout).toEqual(told);
  await workspace.configure(policy);
  expect(await status()).toMatchObject({ sessions: { [a]: 0, [b]: 0 }, lastError: null });
});
