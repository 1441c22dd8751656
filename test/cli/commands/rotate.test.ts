import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cli, startCli } from '../../support/cli.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => cli(args, { cwd: workspace.folder });

describe('keyturn rotate', () => {
  test('--inline needs no worker, and its JSON has what the contract says', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const { code, stdout, stderr } = await run('rotate', 'app', '--inline', '--json');
    expect(stderr).not.toContain('keyturn:');
    expect(code).toBe(0);
    const [report] = JSON.parse(stdout);
    expect(report).toMatchObject({
      policy: 'app',
      status: 'done',
      incoming: workspace.logins[0],
      outgoing: workspace.logins[1],
    });
    expect(report.steps.map(({ name }: { name: string }) => name).slice(0, 5)).toEqual([
      'check',
      'stage',
      'set',
      'verify',
      'publish',
    ]);
    for (const { startedAt, ms } of report.steps) {
      expect(new Date(startedAt).toISOString()).toBe(startedAt);
      expect(ms).toBeGreaterThanOrEqual(0);
    }
    await workspace.logIn();
    expect(stdout + stderr).not.toContain((await workspace.published()).password);
  });

  test('--wait without a worker says so and requests nothing', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const { code, stderr } = await run('rotate', 'app', '--wait');
    expect(code).toBe(1);
    expect(stderr).toContain('start one, or add --inline; run: keyturn start');
    expect(JSON.parse((await run('history', '--json')).stdout)).toEqual([]);
  });

  test('without --wait it is queued, and done by the worker that comes', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const queued = await run('rotate', 'app');
    expect(queued).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^app: rotation [0-9a-f-]{36} is queued\n$/),
    });
    expect(queued.stderr).toContain('no worker is running');
    const again = await run('rotate', 'app');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('has a rotation open already') });

    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready');
    await expect.poll(async () => JSON.parse((await run('history', '--json')).stdout)[0].status).toBe('done');
    await workspace.logIn();
  });

  test('--inline goes on with a rotation that is open and has no worker, and then does its own (G4)', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    await run('rotate', 'app');
    const { code, stdout, stderr } = await run('rotate', 'app', '--inline', '--json');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^app: goes on with rotation [0-9a-f-]{36}, which is open\n/);
    const past = JSON.parse((await run('history', '--json')).stdout);
    expect(past.map(({ status }: { status: string }) => status)).toEqual(['done', 'done']);
    expect(JSON.parse(stdout)).toMatchObject([{ rotation: past[0].rotation, incoming: workspace.logins[1] }]);
    await workspace.logIn();
  });

  test('--wait shows the steps as they happen, one line each when piped', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready');
    const { code, stdout, stderr } = await run('rotate', 'app', '--wait');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `app: ${workspace.logins[0]} is published, ${workspace.logins[1]} is revoked\n`,
    });
    const steps = ['check', 'stage', 'set', 'verify', 'publish', 'drain', 'revoke'];
    let last = -1;
    for (const step of steps) {
      const at = stderr.indexOf(`app: ${step} done`);
      expect(at, step).toBeGreaterThan(last);
      last = at;
    }
    worker.process.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
  });

  test('--wait asked for while a rotation is open follows it, and says until when that drains', async () => {
    await workspace.configure(
      filePolicy(workspace.logins).replace('grace: 0s, timeout: 5s', 'grace: 8s, timeout: 20s'),
    );
    await run('rotate', 'app', '--inline');
    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready');
    const first = startCli(['rotate', 'app', '--wait'], { cwd: workspace.folder });
    await first.says('drain waiting');
    const refused = await run('rotate', 'app');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/it drains until \d.*Z at the latest; with --wait this one follows it/),
    });
    const second = await run('rotate', 'app', '--wait', '--json');
    expect(await first.exited).toBe(0);
    expect(second).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^app: waits for rotation .*, which is open; it drains until /),
    });
    expect(JSON.parse(second.stdout)).toMatchObject([{ status: 'done', incoming: workspace.logins[0] }]);
    const past = JSON.parse((await run('history', '--json')).stdout);
    expect(past.map(({ status }: { status: string }) => status)).toEqual(['done', 'done', 'done']);
  });

  test('--timeout gives up waiting with 3 while the rotation goes on', async () => {
    await workspace.configure(
      filePolicy(workspace.logins).replace('grace: 0s, timeout: 5s', 'grace: 30s, timeout: 40s'),
    );
    await run('rotate', 'app', '--inline');
    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready');
    expect(await run('rotate', 'app', '--wait', '--timeout', '1s')).toMatchObject({ code: 3 });
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([
      { policy: 'app', state: 'draining' },
    ]);
  });

  test.each([
    [['rotate'], 'Name a policy, or give --all'],
    [['rotate', 'ap'], 'There is no policy "ap"; did you mean app?'],
    [['rotate', '--all'], 'add --yes'],
    [['rotate', 'app', '--emergency'], 'add --yes'],
    [['rotate', 'app', '--all'], 'not both'],
    [['rotate', 'app', '--timeout', 'soon'], 'a duration such as'],
    [['rotate', 'app', '--nonsense'], "unknown option '--nonsense'"],
  ])('%j is a usage error that says what to write', async (args, message) => {
    await workspace.configure(filePolicy(workspace.logins));
    expect(await run(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
      stdout: '',
    });
  });
});

describe('a worker killed in the middle of a rotation', () => {
  test('leaves it to the next, which ends it as done, with the published login valid throughout (G1, G4)', async () => {
    await workspace.configure(filePolicy(workspace.logins).replace('grace: 0s', 'grace: 3s'));
    await run('rotate', 'app', '--inline');
    const before = await workspace.published();
    const first = startCli(['start'], { cwd: workspace.folder });
    await first.says('keyturn is ready');
    const waiting = startCli(['rotate', 'app', '--wait', '--json'], { cwd: workspace.folder });
    await waiting.says('app: set ');
    first.process.kill('SIGKILL');
    await first.exited;
    await workspace.logIn();

    await using second = startCli(['start'], { cwd: workspace.folder });
    await second.says('keyturn is ready');
    let tried = 0;
    let going = true;
    const watching = (async () => {
      while (going) {
        await workspace.logIn();
        tried += 1;
      }
    })();
    expect(await waiting.exited).toBe(0);
    going = false;
    await watching;
    expect(tried).toBeGreaterThan(0);
    expect(JSON.parse(waiting.stdout())).toMatchObject([{ status: 'done' }]);
    expect((await workspace.published()).user).not.toBe(before.user);
    await expect(workspace.logIn(before)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  });
});
