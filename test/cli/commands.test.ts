import { expect, test } from 'vitest';
import { openOutput } from '../../src/cli/output/output.ts';
import { exitCodeOf, writeError } from '../../src/cli/write-error.ts';
import { fault } from '../../src/facts/fault.ts';
import { folderOf } from '../config/config-folder.ts';
import { keyturn } from '../support/keyturn.ts';

test('a level that the log has not is a fault of usage, with those that it has', async () => {
  const run = (level: string) =>
    keyturn(['status'], {
      cwd: folderOf({ 'config/keyturn.yaml': 'nothing' }),
      env: { KEYTURN_LOG_LEVEL: level },
    });
  expect(await run('nonsense')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'keyturn: KEYTURN_LOG_LEVEL is "nonsense"; must be trace, debug, info, warn, error, fatal or silent\n',
  });
  for (const level of ['', 'silent']) {
    expect(await run(level)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^config\/keyturn\.yaml:1:1/),
    });
  }
});

test.each([
  [['history', '--limit', 'x'], '--limit must be a whole number from 1 to 10000, not "x"'],
  [['schedule', 'app', '--next', '0'], '--next must be a whole number from 1 to 10000, not "0"'],
  [['schedule', 'app', '--from', 'soon'], '--from must be an ISO 8601 instant such as '],
  [['rotate', 'app', '--timeout', 'soon'], '--timeout must be a duration such as 90s, 10m or 2h, not "soon"'],
])('%j is a fault of usage that says what the option takes', async (args, expected) => {
  const { code, stdout, stderr } = await keyturn(args, { cwd: '.' });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`keyturn: ${expected}`);
});

test('a command says what went wrong first, though closing failed after it', async () => {
  const failing = (message: string) => ({
    async [Symbol.asyncDispose]() {
      throw new Error(message);
    },
  });
  const command = async () => {
    await using _first = failing('the pool is closed already');
    await using _second = failing('the queue is closed already');
    throw fault('policies-and-all', {});
  };
  const thrown = await command().catch((error) => error);
  const lines: string[] = [];
  writeError({ stderr: openOutput({ write: (text) => lines.push(text) }) }, thrown);
  expect(lines).toEqual(['keyturn: Name policies or give --all, not both\n']);
  expect(exitCodeOf(thrown)).toBe(2);
});
