import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

/** Every command that prints JSON, and a policy for those that take one. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['status', 'app'],
  ['history'],
  ['schedule', 'app'],
  ['schedule', '--all'],
  ['plan', 'app'],
  ['doctor', 'app'],
  ['rotate', 'app', '--inline'],
  ['restore', 'app'],
  ['roles', 'create', 'app'],
  ['roles', 'repair', 'app'],
  ['roles', 'drop', 'app'],
  ['roles', 'list'],
];

const run = (...args: string[]) => keyturn([...args, '--json'], { cwd: workspace.folder });

/** The errors on stderr, one JSON object in each line. */
function errorsOf(stderr: string): Record<string, unknown>[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { error: Record<string, unknown> }).error);
}

describe('With --json an error is JSON on stderr, once', () => {
  test.each(COMMANDS)('of the configuration, a line for each problem: %s %s', async (...words) => {
    await workspace.configure(
      filePolicy(workspace.logins).replace('drain:', 'drian:').replace('grace: 0s', 'grace: 0x'),
    );
    const { code, stdout, stderr } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(errorsOf(stderr)).toEqual([
      {
        file: 'config/keyturn.yaml',
        line: expect.any(Number),
        column: expect.any(Number),
        path: 'policies.app.drian',
        message: expect.stringContaining('unknown key "drian"'),
        code: 'config-key-unknown',
        params: expect.objectContaining({ key: 'drian' }),
      },
    ]);
  });

  test.each(COMMANDS)('of usage: %s %s', async (...words) => {
    const { code, stdout, stderr } = await run(...words, '--nonsense');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const help = expect.stringMatching(new RegExp(`^keyturn ${words[0]} .*--help$`));
    expect(errorsOf(stderr)).toEqual([
      {
        message: expect.stringMatching(/^unknown option '--nonsense'; see keyturn .*--help$/),
        code: 'usage-wrong',
        params: { detail: "unknown option '--nonsense'", help },
      },
    ]);
  });

  test.each(COMMANDS.filter((words) => words.includes('app')))(
    'of a policy that is not there: %s %s',
    async (...words) => {
      await workspace.configure(filePolicy(workspace.logins));
      const { code, stdout, stderr } = await run(...words.map((word) => (word === 'app' ? 'ap' : word)));
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(errorsOf(stderr)).toMatchObject([{ code: 'policy-unknown' }]);
    },
  );

  test.each([['status'], ['history'], ['rotate', 'app'], ['plan', 'app'], ['roles', 'list']])(
    'of a state database that is away: %s',
    async (...words) => {
      await workspace.configure(filePolicy(workspace.logins), {
        state: 'postgresql://keyturn:of-it@127.0.0.1:1/state',
      });
      const { code, stdout, stderr } = await run(...words);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(errorsOf(stderr)).toMatchObject([
        { code: 'server-unreachable', message: expect.stringContaining('ECONNREFUSED') },
      ]);
    },
  );

  test('of a value that an option does not take, and of a rotation that is open already', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    expect(errorsOf((await run('history', '--limit', 'x')).stderr)).toMatchObject([
      { code: 'option-not-a-count', params: { option: '--limit' } },
    ]);
    await run('rotate', 'app');
    const { code, stdout, stderr } = await run('rotate', 'app');
    expect({ code, rotations: JSON.parse(stdout) }).toEqual({ code: 1, rotations: [] });
    expect(errorsOf(stderr)).toMatchObject([{ code: 'rotation-open-already' }]);
  });

  test('and what cannot be seen in it is an escape that JSON reads', async () => {
    const name = 'a\u{e0041}b\u202e';
    await workspace.configure(filePolicy(workspace.logins));
    const { stderr } = await run('status', name);
    expect(stderr).not.toContain('\u202e');
    expect(stderr).not.toContain('\u{e0041}');
    expect(errorsOf(stderr)).toMatchObject([{ code: 'policy-unknown' }]);
  });
});

test.each([
  [['pause', '--json'], "unknown option '--json'; see keyturn pause --help"],
  [
    ['rotate', '--inlin', '--json'],
    "unknown option '--inlin'; did you mean --inline?; see keyturn rotate --help",
  ],
  [['roles', 'rotator', '--json'], "unknown option '--json'; see keyturn roles rotator --help"],
])(
  '%j names the help of its own command in one line, and guesses only what is near',
  async (args, message) => {
    const { code, stderr } = await cli(args, { cwd: workspace.folder });
    expect({ code, errors: errorsOf(stderr) }).toMatchObject({ code: 2, errors: [{ message }] });
  },
);

test('validate --json has the problems on stdout, as data, and nothing on stderr', async () => {
  await writeFile(join(workspace.folder, 'config', 'keyturn.yaml'), 'nonsense: 1\n');
  const { code, stdout, stderr } = await cli(['validate', '--json'], { cwd: workspace.folder });
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ valid: false });
});

test('without --json each error is printed once, with what is wrong', async () => {
  await workspace.configure(filePolicy(workspace.logins));
  for (const [args, said] of [
    [['status', '--nonsense'], "unknown option '--nonsense'"],
    [['nonsense'], "unknown command 'nonsense'"],
    [['status', 'ap'], 'There is no policy "ap"'],
    [['rotate'], 'Name a policy, or give --all'],
    [['pause'], "missing required argument 'policy'"],
  ] as const) {
    const { code, stdout, stderr } = await cli(args, { cwd: workspace.folder });
    expect({ code, stdout, times: stderr.split(said).length - 1 }).toEqual({ code: 2, stdout: '', times: 1 });
  }
});
