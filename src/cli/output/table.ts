import { DateTime } from 'luxon';
import stringWidth from 'string-width';
import { visible } from '../../visible.ts';
import type { Io } from '../io.ts';
import type { Part } from './output.ts';
import { wrapped } from './wrapped.ts';

/** A cell of a table. */
export type Cell = Part;

/**
 * Writes rows under headings, each column as wide as its widest cell. On a terminal that is too
 * narrow, cells take several lines, and nothing is left out.
 */
export function writeTable(io: Io, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column]))));
  const words = headings.map((_, column) => Math.max(...lines.map((line) => longestWord(line[column]))));
  const { columns, below } = fitted(widths, words, io.stdout.columns ?? Number.POSITIVE_INFINITY);
  for (const line of lines) {
    writeBeside(io, line.slice(0, columns.length), columns);
    if (below === undefined) continue;
    for (const text of wrapped(textOf(line.at(-1)), below)) io.stdout.write(`${BELOW}${text}`);
  }
}

const GAP = 2;
/** What begins a last cell that has lines of its own, under its row. */
const BELOW = '    ';
/** A last column that would be narrower gets lines of its own. */
const NARROW = 24;
/** No column becomes narrower. */
const NARROWEST = 5;

interface Fitted {
  /** The widths of the columns that stand side by side. */
  readonly columns: readonly number[];
  /** The width of the last column, where it has lines of its own. */
  readonly below?: number;
}

/**
 * What columns of these widths become in so much space; `words` has the width of the longest word
 * of each.
 */
function fitted(widths: readonly number[], words: readonly number[], space: number): Fitted {
  if (together(widths) <= space) return { columns: widths };
  const [others, last = 0] = [widths.slice(0, -1), widths.at(-1)];
  const room = space - together(others) - GAP;
  if (room >= NARROW) return { columns: [...others, room] };
  if (last <= NARROW) return { columns: shrunk(widths, words, space) };
  return { columns: shrunk(others, words, space), below: Math.max(NARROWEST, space - BELOW.length) };
}

/** Takes space between words first, then within them, and each time from the widest columns. */
function shrunk(widths: readonly number[], words: readonly number[], space: number): number[] {
  const columns = [...widths];
  for (const least of [words, widths.map(() => NARROWEST)]) {
    while (together(columns) > space) {
      const wide = columns.map((width, column) =>
        width > Math.max(NARROWEST, least[column] ?? 0) ? width : 0,
      );
      const widest = Math.max(...wide);
      if (widest === 0) break;
      columns[wide.indexOf(widest)] = widest - 1;
    }
  }
  return columns;
}

function together(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1);
}

function writeBeside(io: Io, cells: readonly Cell[], widths: readonly number[]): void {
  const columns = cells.map((cell, column) =>
    wrapped(textOf(cell), widths[column] ?? 0).map((text) =>
      typeof cell === 'string' ? text : { ...cell, text },
    ),
  );
  const height = Math.max(...columns.map(({ length }) => length));
  for (let index = 0; index < height; index += 1) {
    const line = columns.map((texts) => texts[index] ?? '');
    io.stdout.write(
      ...line.flatMap((cell, column) => padded(cell, widths[column] ?? 0, line.slice(column + 1))),
    );
  }
}

/** A cell, and the space up to the next cell that is not empty. */
function padded(cell: Cell, width: number, following: readonly Cell[]): Part[] {
  const isLast = following.every((other) => textOf(other).trim() === '');
  if (isLast) return [typeof cell === 'string' ? cell.trimEnd() : cell];
  return [cell, `${' '.repeat(width - widthOf(cell))}${' '.repeat(GAP)}`];
}

function textOf(cell: Cell = ''): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function longestWord(cell: Cell | undefined): number {
  return Math.max(...textOf(cell).split(' ').map(widthOf));
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
