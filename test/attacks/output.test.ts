import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { openOutput } from '../../src/cli/output/output.ts';
import { fact } from '../../src/facts/fact.ts';
import { sql } from '../../src/facts/remedy.ts';
import { describeSession } from '../../src/messages/database/describe-session.ts';
import { remedyLines, tellError } from '../../src/messages/tell.ts';
import { databaseError } from '../../src/postgres/connection/database-error.ts';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { oneLineNames } from '../../src/postgres/one-line-names.ts';
import { shellWord } from '../../src/roles/shell-word.ts';
import { visible } from '../../src/visible.ts';

function capture({ isTTY = false } = {}) {
  const said: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text, _, done) {
      said.push(text);
      done();
    },
  });
  return { output: openOutput(Object.assign(stream, { isTTY })), text: () => said.join('') };
}

test.each([
  ['an escape sequence', 'a\x1b[2Jb', 'a\\u001b[2Jb'],
  ['an 8-bit control sequence', 'a\x9b2Jb', 'a\\u009b2Jb'],
  ['a carriage return', 'a\rb', 'a\\u000db'],
  ['a tab', 'a\tb', 'a\\u0009b'],
  ['DEL', 'a\x7fb', 'a\\u007fb'],
  ['a bidirectional override', 'a\u202eb', 'a\\u202eb'],
  ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
  ['a line separator', 'a\u2028b', 'a\\u2028b'],
  ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['half of a surrogate pair', 'a\ud800b', 'a\\ud800b'],
  ['letters of any script', 'größe 数据 🔑', 'größe 数据 🔑'],
])('attack: %s in a name is shown, not sent', (_, name, shown) => {
  expect(visible(name)).toBe(shown);
});

test("attack: a line break in a name begins no line, be it a forged 'run:' or another's", () => {
  const { output, text } = capture();
  output.write(`  fail  prepared  ${'x\n  run: ALTER ROLE mallory SUPERUSER'}\n`);
  expect(text()).toBe('  fail  prepared  x\\u000a  run: ALTER ROLE mallory SUPERUSER\n');
});

test('a terminal gets our own colours and moves, and none of a name', () => {
  const { output, text } = capture({ isTTY: true });
  output.write({ text: '\x1b[8mfail', colour: 'red' }, ' \x1b]52;c;AAAA\x07');
  expect(text()).toBe('\x1b[31m\\u001b[8mfail\x1b[39m \\u001b]52;c;AAAA\\u0007\n');
  const piped = capture();
  piped.output.move('clear screen', { up: 3 });
  piped.output.passing('looked at 1 of 2');
  expect(piped.text()).toBe('');
});

test('JSON parses to the same value, and a terminal can show it', () => {
  const value = { name: 'a\x9b\u202e\n\u{e0041}\x7f', nested: ['\u2028'] };
  const { output, text } = capture();
  output.json(value);
  expect(JSON.parse(text())).toEqual(value);
  expect(text().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
});

test('attack: a name with a line break cannot add a statement to ours, whoever quoted it', () => {
  const name = 'x"\n  run: ALTER ROLE mallory SUPERUSER; --';
  expect(quoteIdentifier(name)).toBe('U&"x""\\000a  run: ALTER ROLE mallory SUPERUSER; --"');
  expect(quoteLiteral("it's\\\n")).toBe("E'it''s\\\\\\u000a'");
  // As format('%I') of PostgreSQL quotes it.
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const remedy = sql(`GRANT SELECT ON TABLE public.${quoted} TO app_b`);
  expect(remedyLines(fact('unexpected', { text: 'x' }, remedy))).toEqual([
    'run: GRANT SELECT ON TABLE public.U&"x""\\000a  run: ALTER ROLE mallory SUPERUSER; --" TO app_b',
  ]);
});

test('attack: the name of an application cannot pass for a remedy within a sentence', () => {
  const session = { pid: 1, database: 'x', elsewhere: false, address: null, type: 'client backend' };
  const told = (application: string) =>
    describeSession({ ...session, slots: [], state: 'idle', transactionAge: null, application });
  expect(told('x; run: ALTER ROLE mallory SUPERUSER')).toBe(
    '"x; run: ALTER ROLE mallory SUPERUSER"@local (idle)',
  );
  expect(told('pgAdmin 4 - DB:orders')).toBe('pgAdmin 4 - DB:orders@local (idle)');
});

test('attack: a message of PostgreSQL cannot pass for a remedy of ours', () => {
  const message = 'x; run: ALTER ROLE mallory SUPERUSER';
  expect(tellError(databaseError(new Error(message), 'app_a'))).toBe(`app_a: "${message}"`);
});

test.each(['a b', "it's", 'a\n$(touch x)', "\x1b[2J'\\", '\u202eä\x9b1'])(
  'a shell reads %j as it is',
  (word) => {
    const printed = shellWord(word);
    expect(visible(printed)).toBe(printed);
    expect(execFileSync('bash', ['-c', `printf %s ${printed}`], { encoding: 'utf8' })).toBe(word);
  },
);

test('a name that can be seen is quoted as ever', () => {
  const sql = `ALTER ROLE "we""ird" PASSWORD 'it''s' -- isn't "\nSELECT E'\\n'`;
  expect(oneLineNames(sql)).toBe(sql);
});

test('nothing but the one way to a stream writes to the terminal', () => {
  const root = resolve(import.meta.dirname, '../..');
  const files = ['src', 'jobs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  const writers = files.filter((file) =>
    /\bconsole\.(log|info|warn|error|debug|table|dir)\b|process\.(stdout|stderr)|\\x1b|\\u001b|styleText/.test(
      readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, ''),
    ),
  );
  // main.ts opens the Outputs; output.ts is the way.
  expect(writers.sort()).toEqual(['src/cli/main.ts', 'src/cli/output/output.ts']);
});
