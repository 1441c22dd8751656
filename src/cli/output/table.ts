import { DateTime } from 'luxon';
import stringWidth from 'string-width';
import { visible } from '../../visible.ts';
import type { Io } from '../io.ts';
import type { Part } from './output.ts';

/** A cell of a table. */
export type Cell = Part;

/** Writes rows under headings, each column as wide as its widest cell. */
export function writeTable(io: Io, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column]))));
  for (const line of lines) {
    io.stdout.write(
      ...line.flatMap((cell, column) => padded(cell, widths[column] ?? 0, line.slice(column + 1))),
    );
  }
}

/** A cell, and the space up to the next cell that is not empty. */
function padded(cell: Cell, width: number, following: readonly Cell[]): Part[] {
  const isLast = following.every((other) => textOf(other).trim() === '');
  if (isLast) return [typeof cell === 'string' ? cell.trimEnd() : cell];
  return [cell, `${' '.repeat(width - widthOf(cell))}  `];
}

function textOf(cell: Cell = ''): string {
  return typeof cell === 'string' ? cell : cell.text;
}

/** The width in columns of a terminal: a Chinese character takes two, a combining accent none. */
function widthOf(cell: Cell | undefined): number {
  return stringWidth(visible(textOf(cell)));
}

/**
 * An ISO 8601 instant as seen at `now`, in milliseconds since the epoch: `in 3 days`, `2 hours
 * ago`.
 */
export function relative(iso: string, now: number): string {
  return DateTime.fromISO(iso).toRelative({ base: DateTime.fromMillis(now), locale: 'en' }) ?? '';
}
