import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { cli, startCli } from '../../support/cli.ts';
import { CTRL_C, inTerminal } from '../../support/terminal.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(
    filePolicy(workspace.logins).replace('grace: 0s, timeout: 5s', 'grace: 6s, timeout: 20s'),
  );
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => cli(args, { cwd: workspace.folder });
const history = async () => JSON.parse((await run('history', '--json')).stdout) as { rotation: string }[];

test('Ctrl-C on a terminal: 130, with the step and the commands that go on; rotate --inline does', async () => {
  const { code, shown } = await inTerminal(['rotate', 'app', '--inline'], CTRL_C, {
    cwd: workspace.folder,
    columns: 400,
    when: /✔\S* publish/,
  });
  expect(code, shown).toBe(130);
  const [interrupted] = await history();
  const id = interrupted?.rotation;
  expect(shown).toContain(
    `app: rotation ${id} stays open, in the step drain. Go on with it: keyturn start, or keyturn rotate app --inline, which finishes it and then rotates once more`,
  );
  const again = await run('rotate', 'app', '--inline');
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`goes on with rotation ${id}`) });
  expect(await history()).toMatchObject([
    { status: 'done' },
    { rotation: id, status: 'done' },
    { status: 'done' },
  ]);
});

test('--wait interrupted, or timed out: the rotation goes on, with the command that follows it', async () => {
  await using worker = startCli(['start'], { cwd: workspace.folder });
  await worker.says('keyturn is ready');
  const waiting = startCli(['rotate', 'app', '--wait'], { cwd: workspace.folder });
  await waiting.says('drain waiting');
  waiting.process.kill('SIGINT');
  expect(await waiting.exited).toBe(130);
  const follow =
    /^app: rotation \S+ stays open[,;] .*\. A worker runs it; follow it with keyturn status app$/m;
  expect(waiting.stderr()).toMatch(follow);
  const late = await run('rotate', 'app', '--wait', '--timeout', '1s');
  expect(late).toMatchObject({ code: 3, stderr: expect.stringMatching(follow) });
});
