import { expect, test } from 'vitest';
import { changed, folderOf, VALID } from '../../config/config-folder.ts';
import type { CliResult } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';

function validate(yaml: string, ...flags: string[]): Promise<CliResult> {
  return keyturn(['validate', ...flags], { cwd: folderOf({ 'config/keyturn.yaml': yaml }) });
}

const WARNED = changed(['user: keyturn', 'user: keyturn, tls: { mode: disable }']);
const BROKEN = changed(['user: keyturn', 'usr: keyturn'], ['connection: db', 'connection: no']);
const WARNING =
  'config/keyturn.yaml:2:74 connections.db.tls.mode: the connection to "db.internal" is not encrypted; better is verify-full';

test('a valid configuration is counted on stdout, its warnings are on stderr', async () => {
  expect(await validate(VALID)).toEqual({
    stdout: '1 policy, 1 connection, 2 stores: valid\n',
    stderr: '',
    code: 0,
  });
  expect(await validate(WARNED)).toEqual({
    stdout: '1 policy, 1 connection, 2 stores: valid\n',
    stderr: `warning: ${WARNING}\n`,
    code: 0,
  });
});

test('every problem of a configuration is a line on stderr, and the exit code is 2', async () => {
  const { stdout, stderr, code } = await validate(BROKEN);
  expect([stdout, code]).toEqual(['', 2]);
  expect(stderr.split('\n')).toEqual([
    'config/keyturn.yaml:2:3 connections.db.user: is missing; must be the name of the rotator, a role',
    'config/keyturn.yaml:2:46 connections.db.usr: unknown key "usr"; did you mean "user"?',
    'config/keyturn.yaml:8:17 policies.orders.connection: unknown connection "no"; known: "db"',
    '',
  ]);
});

test('with --json all of it is one object on stdout', async () => {
  expect(JSON.parse((await validate(WARNED, '--json')).stdout)).toEqual({
    valid: true,
    problems: [],
    warnings: [WARNING],
  });
  const { stdout, stderr, code } = await validate(BROKEN, '--json');
  expect([stderr, code]).toEqual(['', 2]);
  const { valid, problems } = JSON.parse(stdout);
  expect([valid, problems.length]).toEqual([false, 3]);
  expect(problems[2]).toEqual({
    file: 'config/keyturn.yaml',
    line: 8,
    column: 17,
    path: 'policies.orders.connection',
    message: 'unknown connection "no"; known: "db"',
    code: 'config-reference-unknown',
    params: { kind: 'connection', value: { kind: 'written', text: 'no' }, known: ['db'] },
  });
});
