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
