import { userInfo } from 'node:os';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace } from '../../support/workspace.ts';

const server = inject('postgres');

test('status tells a new policy, an active one with its sessions, and one whose database is away (G6)', async () => {
  await using workspace = await openWorkspace(server);
  const [a, b] = workspace.logins;
  const scheduled = filePolicy(workspace.logins, '    schedule: { every: 30d, at: "02:30" }\n');
  await workspace.configure(scheduled);
  const status = async (expected = 0) => {
    const { code, stdout } = await keyturn(['status', '--json'], { cwd: workspace.folder });
    expect(code).toBe(expected);
    return JSON.parse(stdout)[0];
  };
  expect(await status()).toMatchObject({
    policy: 'app',
    state: 'new',
    active: null,
    standby: null,
    lastRotatedAt: null,
  });

  await keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder });
  const url = (await keyturn(['url', 'app'], { cwd: workspace.folder })).stdout.trim();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const active = await status();
  await client.end();
  expect(active).toEqual({
    policy: 'app',
    state: 'active',
    reachable: true,
    active: a,
    standby: b,
    sessions: { [a]: 1, [b]: 0 },
    lastRotatedAt: expect.stringMatching(/Z$/),
    nextRotationAt: expect.stringMatching(/T02:30:00.000Z$/),
    openRotation: null,
    paused: null,
    lastError: null,
    lastFailure: null,
    fault: null,
    clockWarning: null,
  });

  // Nobody listens on port 1.
  await workspace.configure(scheduled, { connection: { port: 1 } });
  expect(await status(1)).toMatchObject({
    state: 'active',
    reachable: false,
    active: a,
    sessions: null,
    lastError: expect.stringContaining('ECONNREFUSED'),
    fault: { code: expect.any(String), params: expect.any(Object) },
  });
});

test('status tells what is wrong now first, then dated what went wrong last (G6)', async () => {
  await using workspace = await openWorkspace(server);
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const policy = filePolicy(workspace.logins);
  await workspace.configure(policy, { connection: { password: 'wrong' } });
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 1 });
  await workspace.configure(policy, { connection: { port: 1 } });
  const { stdout } = await run('status');
  expect(stdout).toMatch(
    /^app: .*:1\/.*ECONNREFUSED.*; the last rotation failed on \d{4}-\S+Z: .*password authentication failed/m,
  );
  const [status] = JSON.parse((await run('status', '--json')).stdout);
  expect(status).toMatchObject({
    state: 'failed',
    fault: { code: 'server-unreachable' },
    lastFailure: { failedAt: expect.stringMatching(/Z$/), fault: { code: 'login-refused' } },
  });
});

test('what is said of the state database names it as such (G6)', async () => {
  await using workspace = await openWorkspace(server);
  const state = Object.assign(new URL(workspace.stateUrl), { port: '1' }).href;
  await workspace.configure(filePolicy(workspace.logins), { state });
  for (const command of ['status', 'history', 'rotate app']) {
    const { code, stderr } = await keyturn(command.split(' '), { cwd: workspace.folder });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^keyturn: the state database \S+@127\.0\.0\.1:1\/\S+: .*ECONNREFUSED/),
    });
  }
});

test('a queue that is away is told at once; rotate opens nothing then, and --inline does without it (G5)', async () => {
  await using workspace = await openWorkspace(server);
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const away = 'The queue on 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; check queue.redis';
  await workspace.configure(filePolicy(workspace.logins), { redis: 'redis://:hidden@127.0.0.1:1' });
  expect(await run('status')).toMatchObject({ code: 0, stderr: expect.stringContaining(away) });
  for (const how of [[], ['--wait']]) {
    const refused = await run('rotate', 'app', ...how);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(away) });
    expect(refused.stderr).not.toContain('hidden');
  }
  expect(JSON.parse((await run('history', '--json')).stdout)).toEqual([]);
  // In words only: the log is the worker's.
  expect(await cli(['status'], { cwd: workspace.folder })).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^keyturn: .*\n$/),
  });
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  expect(await run('rotate', 'app', '--inline', '--emergency', '--yes')).toMatchObject({ code: 0 });
  await workspace.configure(filePolicy(workspace.logins));
  expect(await run('status')).toMatchObject({
    code: 0,
    stderr: 'keyturn: no worker is running, so nothing rotates by itself; start one; run: keyturn start\n',
  });
});

test('history tells who asked, how long each step took, and why a rotation failed', async () => {
  await using workspace = await openWorkspace(server);
  const options = { cwd: workspace.folder, env: { SUDO_USER: 'margaret' } };
  await workspace.configure(filePolicy(workspace.logins, '    verify: ["SELECT broken"]\n'));
  expect(await keyturn(['rotate', 'app', '--inline'], options)).toMatchObject({ code: 1 });
  await workspace.configure(filePolicy(workspace.logins));
  await keyturn(['rotate', 'app', '--inline'], options);
  const [done, failed] = JSON.parse((await keyturn(['history', 'app', '--json'], options)).stdout);
  expect(done).toMatchObject({
    status: 'done',
    requestedBy: userInfo().username,
    reason: 'manual',
    error: null,
  });
  expect(failed).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('column "broken" does not exist'),
    fault: { code: 'verify-statement-failed', params: { statement: 'SELECT broken' } },
  });
  const { stdout } = await keyturn(['history'], options);
  expect(stdout).toMatch(/^REQUESTED +POLICY +STATUS/);
  expect(stdout).not.toContain('margaret');
});
