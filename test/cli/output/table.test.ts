import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { openOutput } from '../../../src/cli/output/output.ts';
import { type Cell, writeTable } from '../../../src/cli/output/table.ts';

function linesOf(
  rows: readonly (readonly Cell[])[],
  { headings = ['name', 'note'], columns }: { headings?: readonly string[]; columns?: number } = {},
): string[] {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text.replace(/\n$/, ''));
  const stdout = openOutput({ write, ...(columns === undefined ? {} : { isTTY: true, columns }) });
  const io: Io = { env: {}, cwd: '/', stdout, stderr: stdout, exit: () => {} };
  writeTable(io, headings, rows);
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

test('a last column that does not fit takes several lines beside the others, and without a terminal one', () => {
  const rows = [
    ['check', 'the rotator may not see the sessions of the logins that it rotates'],
    ['stage', 'waits'],
  ];
  expect(linesOf(rows, { columns: 40 })).toEqual([
    'NAME   NOTE',
    'check  the rotator may not see the',
    '       sessions of the logins that it',
    '       rotates',
    'stage  waits',
  ]);
  expect(linesOf(rows)).toHaveLength(3);
});

test('a last column for which little is left stands below its row, and the widest of the others are narrowed', () => {
  const rows = [
    ['2026-11-26T07:04:24.123Z', 'a-policy-with-a-long-name', 'check 12 ms, stage 3 ms, set 5 ms'],
  ];
  expect(linesOf(rows, { headings: ['requested', 'policy', 'steps'], columns: 40 })).toEqual([
    'REQUESTED            POLICY',
    '    STEPS',
    '2026-11-26T07:04:24  a-policy-with-a-lon',
    '.123Z                g-name',
    '    check 12 ms, stage 3 ms, set 5 ms',
  ]);
});

test('space is taken between words before a word is broken', () => {
  const rows = [['2026-11-26T07:04:24.123Z', 'manual, root@host', 'check 12 ms, stage 3 ms, set 5 ms']];
  expect(linesOf(rows, { headings: ['requested', 'by', 'steps'], columns: 40 })).toEqual([
    'REQUESTED                 BY',
    '    STEPS',
    '2026-11-26T07:04:24.123Z  manual,',
    '                          root@host',
    '    check 12 ms, stage 3 ms, set 5 ms',
  ]);
});

const words = fc
  .array(fc.stringMatching(/^[a-z0-9_注é-]{0,30}$/), { maxLength: 12 })
  .map((all) => all.join(' '));

test('no line of a table is wider than the terminal, and every character is there', () => {
  const table = fc
    .integer({ min: 1, max: 8 })
    .chain((width) =>
      fc.array(fc.array(words, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
    );
  fc.assert(
    fc.property(table, fc.integer({ min: 80, max: 200 }), (rows, columns) => {
      const headings = rows[0]?.map(() => 'heading') ?? [];
      const lines = linesOf(rows, { headings, columns });
      for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      const letters = (text: string) => [...text.replaceAll(/\s/g, '')].sort().join('');
      const all = [...headings.map((heading) => heading.toUpperCase()), ...rows.flat()];
      expect(letters(lines.join(''))).toBe(letters(all.join('')));
    }),
    { numRuns: 100 },
  );
});
