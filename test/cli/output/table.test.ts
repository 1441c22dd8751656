import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { openOutput } from '../../../src/cli/output/output.ts';
import { type Cell, writeTable } from '../../../src/cli/output/table.ts';

function linesOf(rows: readonly (readonly Cell[])[]): string[] {
  const lines: string[] = [];
  const stdout = openOutput({ write: (text) => lines.push(text.replace(/\n$/, '')) });
  const io: Io = { env: {}, cwd: '/', stdout, stderr: stdout, exit: () => {} };
  writeTable(io, ['name', 'note'], rows);
  return lines;
}

test('columns are as wide as they are on a terminal, where a character may take two columns or none', () => {
  const rows = [
    ['注文', 'two characters, four columns'],
    ['cafe\u0301', 'five characters, four columns'],
    ['ab', 'two'],
  ];
  expect(linesOf(rows)).toEqual([
    'NAME  NOTE',
    '注文  two characters, four columns',
    'cafe\u0301  five characters, four columns',
    'ab    two',
  ]);
});

test('a character that cannot be seen is as wide as the escape that is shown for it', () => {
  expect(
    linesOf([
      ['a\u202eb', 'x'],
      ['abcdefghi', 'y'],
    ]),
  ).toEqual(['NAME       NOTE', 'a\\u202eb   x', 'abcdefghi  y']);
});
