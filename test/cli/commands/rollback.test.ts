import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type RunningCli, startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { type Account, filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
let worker: RunningCli;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(
    filePolicy(workspace.logins, '    schedule: { every: 30d }\n')
      .replace('grace: 0s', 'grace: 300s')
      .replace('timeout: 5s', 'timeout: 600s'),
  );
  worker = startCli(['start'], { cwd: workspace.folder });
  await worker.says('keyturn is ready');
  await expect.poll(async () => (await history())[0]?.status).toBe('done');
});
afterEach(async () => {
  await worker[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
});

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
const history = async () => JSON.parse((await run('history', '--json')).stdout);
const status = async () => JSON.parse((await run('status', '--json')).stdout)[0];

async function drain(): Promise<Account> {
  const before = await workspace.published();
  await run('rotate', 'app');
  await expect.poll(async () => (await status()).state).toBe('draining');
  return before;
}

describe('keyturn rollback', () => {
  test('brings the old credential back within the grace, ends with the new one revoked, and pauses (G1)', async () => {
    const before = await drain();
    const after = await workspace.published();
    const { code, stdout } = await run('rollback', 'app');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `app: ${before.user} will be published again, and ${after.user} revoked; the schedule is paused, resume it with: keyturn resume app\n`,
    });
    // At once, though the rotation was waiting for five minutes of grace.
    await expect.poll(() => workspace.published(), { timeout: 30_000 }).toEqual(before);
    await workspace.logIn(before);
    expect((await run('rollback', 'app')).stderr).toContain('is being rolled back already');
    expect(await status()).toMatchObject({ state: 'draining', active: before.user, nextRotationAt: null });
  });

  test('without an open rotation says so', async () => {
    expect(await run('rollback', 'app')).toMatchObject({
      code: 1,
      stderr: 'keyturn: app has no open rotation; run: keyturn history app\n',
    });
    expect(await run('cancel', 'app')).toMatchObject({ code: 1 });
  });
});

describe('keyturn cancel', () => {
  test('of a rotation that drains points to rollback; of one that is not published ends it (G5)', async () => {
    const before = await drain();
    expect(await run('cancel', 'app')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('keyturn rollback app'),
    });
    expect(await workspace.published()).not.toEqual(before);
    await run('rotate', 'app', '--emergency', '--yes');
    worker.process.kill('SIGTERM');
    await worker.exited;
    const current = await workspace.published();
    await run('rotate', 'app');
    expect(await run('cancel', 'app')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^app: rotation .* is cancelled; what is published stays as it is\n$/),
    });
    expect((await history())[0]).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^cancelled by /),
    });
    expect(await workspace.published()).toEqual(current);
  });
});

describe('keyturn rotate --emergency', () => {
  test.each([{ also: [] }, { also: ['--wait'] }])(
    '$also ends a drain that is under way, and both passwords with it, in one command (G2)',
    async ({ also }) => {
      const first = await drain();
      const second = await workspace.published();
      const [one, two] = await Promise.all([workspace.connect(first), workspace.connect(second)]);
      const { code, stdout, stderr } = await run(
        'rotate',
        'app',
        '--emergency',
        '--yes',
        '--timeout',
        '90s',
        ...also,
      );
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toBe(`app: ${first.user} is published, ${second.user} is revoked\n`);
      for (const client of [one, two]) await expect(client.query('SELECT 1')).rejects.toThrow();
      for (const leaked of [first, second]) {
        await expect(workspace.connect(leaked)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
      }
      const now = await workspace.published();
      expect([now.user, now.password === first.password]).toEqual([first.user, false]);
      await workspace.logIn(now);
      await Promise.all([one.end(), two.end()].map((ended) => ended.catch(() => {})));
    },
  );
});
