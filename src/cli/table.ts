import { styleText } from 'node:util';
import type { Io } from './io.ts';
import { visible } from './visible.ts';

/** What stands in a table; the colour is for terminals. */
export type Cell = string | { readonly text: string; readonly colour: 'green' | 'yellow' | 'red' | 'cyan' };

/** Writes rows under headings, each column as wide as its widest cell. */
export function writeTable(io: Io, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => textOf(line[column]).length)));
  for (const line of lines) {
    const cells = line.map(
      (cell, column) => coloured(io, cell) + ' '.repeat((widths[column] ?? 0) - textOf(cell).length),
    );
    io.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

function textOf(cell: Cell = ''): string {
  return visible(typeof cell === 'string' ? cell : cell.text);
}

function coloured({ stdout }: Io, cell: Cell): string {
  return typeof cell === 'string' || !stdout.isTTY ? textOf(cell) : styleText(cell.colour, textOf(cell));
}

export function writeJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
