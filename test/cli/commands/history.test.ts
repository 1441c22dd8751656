import { hostname, userInfo } from 'node:os';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder, env: { USER: 'mallory' } });
const linesOf = async (...args: string[]) => {
  const { code, stdout } = await run('history', ...args, '--json');
  expect(code).toBe(0);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
};

test('history tells the user by its id, the machine and the reason, whatever USER says', async () => {
  await run('rotate', 'app', '--inline', '--reason', 'quarterly');
  const [{ requestedBy, requestedHost, requestedReason }] = JSON.parse(
    (await run('history', '--json')).stdout,
  );
  const { username } = userInfo();
  expect([requestedBy, requestedHost, requestedReason]).toEqual([username, hostname(), 'quarterly']);
  const { stdout } = await run('history');
  expect(stdout).toContain(`${username}@${hostname()}`);
  expect(stdout).toContain('reason: quarterly');
  expect(stdout).not.toContain('mallory');
});

test('pause and resume are rows of history, and status tells who paused it and why', async () => {
  await run('pause', 'app', '--reason', 'audit week');
  const who = `${userInfo().username}@${hostname()}: audit week`;
  expect((await run('status')).stdout).toContain(who);
  expect(JSON.parse((await run('status', '--json')).stdout)[0]).toMatchObject({
    openRotation: null,
    paused: { requestedBy: userInfo().username, requestedHost: hostname(), requestedReason: 'audit week' },
  });
  expect((await run('pause', 'app')).stdout).toContain(`paused already, since`);
  await run('resume', 'app');
  const { stdout } = await run('history', 'app');
  expect(stdout).toMatch(/resume .*\n.*pause /);
  expect(JSON.parse((await run('history', '--json')).stdout)).toEqual([]);
});

test('history --since --json is a line for each rotation and action, oldest first', async () => {
  await run('rotate', 'app', '--inline');
  await run('pause', 'app', '--reason', 'audit week');
  const [rotation, pause, ...others] = await linesOf('--since', '1h');
  expect(others).toEqual([]);
  expect(rotation).toMatchObject({ type: 'rotation', policy: 'app', status: 'done', reason: 'manual' });
  expect(rotation.steps.map(({ name }: { name: string }) => name)).toContain('revoke');
  expect(pause).toEqual({
    type: 'action',
    at: expect.stringMatching(/Z$/),
    action: 'pause',
    policy: 'app',
    rotation: null,
    status: 'done',
    requestedBy: userInfo().username,
    requestedHost: hostname(),
    requestedReason: 'audit week',
    finishedAt: expect.stringMatching(/Z$/),
    ...{ message: null, code: null, params: null },
  });
  expect(await linesOf('--since', '1h', '--limit', '1')).toHaveLength(1);
  expect(await linesOf('--since', '2026-01-01')).toHaveLength(2);
  expect((await run('history', '--since', '0s')).stdout).not.toContain('app');
});

const LONGER = 'x'.repeat(501);
const LONG = 'x'.repeat(2 ** 20);
test.each([
  [
    'a word as instant',
    ['history', '--since', 'yesterday'],
    '--since must be a duration such as 30d, or a date',
  ],
  ['an instant in the future', ['history', '--since', '9999-01-01'], 'must not lie in the future'],
  ['a negative duration', ['history', '--since', '-1d'], '--since must be a duration'],
  ['a misspelt policy', ['history', 'ap'], 'did you mean'],
  ['an unknown policy', ['history', 'nobody', '--since', '1d', '--json'], 'nobody'],
  ['a blank reason', ['pause', 'app', '--reason', ' \n'], '--reason must not be blank'],
  [
    'a reason that is too long',
    ['pause', 'app', '--reason', LONGER],
    '--reason may have 500 characters at most, not 501',
  ],
  [
    'a reason of 1 MiB',
    ['pause', 'app', '--reason', LONG],
    '--reason may have 500 characters at most, not 1048576',
  ],
])('%s is refused with exit code 2, in one short line', async (_, args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr.length).toBeLessThan(400);
  expect((await run('history')).stdout).not.toContain('pause');
});

test('a reason with control characters is shown, never sent, and --json parses to the exact text', async () => {
  const reason = '\x1b]0;owned\x07\nrun: rm -rf /\u202e';
  await run('pause', 'app', '--reason', reason);
  for (const { stdout } of [await run('status'), await run('history')]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
    expect(stdout).toContain('\\u001b');
    // Nobody takes it for a remedy of ours.
    expect(stdout).not.toMatch(/^run:/m);
  }
  const [line] = await linesOf('--since', '1h');
  expect(line.requestedReason).toBe(reason);
});

test('roles create, repair and drop are rows of history, with who, why, and what was done', async () => {
  const create = ['roles', 'create', 'app', '--access', 'read', '--reason', 'new service'];
  expect(await run(...create)).toMatchObject({ code: 0 });
  expect(await run('roles', 'create', 'app', '--access', 'read-write')).toMatchObject({ code: 0 });
  // Nothing is left to do, so nothing was done.
  expect(await run('roles', 'create', 'app')).toMatchObject({ code: 0 });
  // A session of another test that is just starting holds a drop up, which is kept as failed.
  const drops = async () => (await run('roles', 'drop', 'app', '--confirm', 'app')).code;
  await expect.poll(drops, { timeout: 20_000 }).toBe(0);
  const all = await linesOf('--since', '1h');
  const [first, second, drop, ...others] = all.filter(({ status }) => status !== 'failed');
  expect(others).toEqual([]);
  const who = { requestedBy: userInfo().username, requestedHost: hostname() };
  expect(first).toMatchObject({
    ...{ action: 'create', status: 'done', requestedReason: 'new service', ...who },
    ...{ code: 'roles-changed', params: { access: 'read', schemas: ['public'] } },
  });
  expect(second).toMatchObject({ action: 'create', params: { access: 'read-write' } });
  expect(drop).toMatchObject({
    ...{ action: 'drop', status: 'done', code: 'roles-dropped' },
    params: { dropped: workspace.logins },
  });
});
