import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { openOutput } from '../../../src/cli/output/output.ts';
import { writeTable } from '../../../src/cli/output/table.ts';

test('columns line up by what a terminal shows, not by code units', () => {
  const lines: string[] = [];
  const stdout = openOutput({ write: (text: string) => lines.push(text) });
  const rows = ['订单', 'cafe\u0301', 'plain'].map((name) => [name, 'active']);
  // A table is written to stdout only.
  writeTable({ stdout } as Io, ['name', 'state'], rows);
  expect(lines).toEqual(['NAME   STATE\n', '订单   active\n', 'cafe\u0301   active\n', 'plain  active\n']);
});
