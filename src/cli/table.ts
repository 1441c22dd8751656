import { stripVTControlCharacters } from 'node:util';
import type { Io } from './io.ts';

/** Writes rows under headings, each column as wide as its widest cell. */
export function writeTable(io: Io, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows];
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  for (const line of lines) {
    const cells = line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)));
    io.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

export function writeJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
