import { styleText } from 'node:util';
import { visible, visibleJson } from '../../visible.ts';

/** A piece of a line; the colour is for terminals. */
export type Part = string | { readonly text: string; readonly colour: Colour };

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'bold' | 'dim';

/** What moves on a terminal; nothing of it comes from outside. */
export type Move = 'clear screen' | 'begin line' | 'clear line' | { readonly up: number };

/**
 * A stream that a command writes to. What comes from outside is data: it cannot move the cursor or
 * begin a line.
 */
export interface Output {
  readonly isTTY: boolean;
  /**
   * Writes one line. A line break at its end is the writer's own and may be left out; every other
   * character that cannot be seen is shown as an escape.
   */
  write(...parts: readonly Part[]): void;
  /** Writes a value as JSON. */
  json(value: unknown): void;
  /** Moves the cursor; only on a terminal. */
  move(...moves: readonly Move[]): void;
  /** Shows a line that the next one replaces; only on a terminal. */
  passing(text: string): void;
}

/** What an Output is made of: `process.stdout`, or a test's. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** The one way to a stream. */
export function openOutput(stream: Stream): Output {
  const isTTY = stream.isTTY === true;
  const shown = (part: Part) => {
    if (typeof part === 'string') return visible(part);
    const text = visible(part.text);
    // styleText asks the stream, which knows NO_COLOR; only a real one has `isTTY`.
    return isTTY ? styleText(part.colour, text, { stream: stream as NodeJS.WriteStream }) : text;
  };
  return {
    isTTY,
    write(...parts) {
      const last = parts.at(-1) ?? '';
      const line = typeof last === 'string' ? [...parts.slice(0, -1), last.replace(/\n$/, '')] : parts;
      stream.write(`${line.map(shown).join('')}\n`);
    },
    json(value) {
      stream.write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
    },
    move(...moves) {
      if (isTTY) stream.write(moves.map(sequenceOf).join(''));
    },
    passing(text) {
      if (isTTY) stream.write(`${sequenceOf('begin line')}${visible(text)}`);
    },
  };
}

/** https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
function sequenceOf(move: Move): string {
  switch (move) {
    case 'clear screen':
      return '\x1b[H\x1b[2J';
    case 'begin line':
      return '\r\x1b[K';
    case 'clear line':
      return '\x1b[2K';
    default:
      return move.up > 0 ? `\x1b[${move.up}A` : '';
  }
}
