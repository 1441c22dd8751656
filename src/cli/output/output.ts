import { styleText } from 'node:util';
import { visible, visibleJson } from '../../visible.ts';

/** A piece of a line. The colour is only shown on terminals. */
export type Part = string | { readonly text: string; readonly colour: Colour };

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'bold' | 'dim';

/** A cursor movement or an erasure on a terminal. No part of it comes from outside. */
export type Move = 'clear screen' | 'begin line' | 'clear line' | { readonly up: number };

/**
 * A stream that a command writes to. Text from outside is only data: it cannot move the cursor or
 * begin a line.
 */
export interface Output {
  readonly isTTY: boolean;
  /** How wide the terminal is now; undefined without one. */
  readonly columns: number | undefined;
  /**
   * Writes one line. A line break at its end may be left out. Every other invisible character is
   * shown as an escape.
   */
  write(...parts: readonly Part[]): void;
  /** Writes a value as JSON. */
  json(value: unknown): void;
  /**
   * Writes a value as JSON in one line. Resolves when the stream takes more, so that a slow reader
   * does not fill the memory.
   */
  jsonLine(value: unknown): Promise<void>;
  /** Moves the cursor. Has no effect without a terminal. */
  move(...moves: readonly Move[]): void;
  /** Shows a line that the next one replaces. Has no effect without a terminal. */
  passing(text: string): void;
}

/** The stream below an Output: `process.stdout`, or a test's. */
export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  once?(event: 'drain', listener: () => void): unknown;
  readonly columns?: number;
}

/** Everything that a command prints goes through here. */
export function openOutput(stream: Stream): Output {
  const isTTY = stream.isTTY === true;
  const shown = (part: Part) => {
    if (typeof part === 'string') return visible(part);
    const text = visible(part.text);
    // styleText asks the stream, which respects NO_COLOR. Only a real stream has `isTTY`.
    return isTTY ? styleText(part.colour, text, { stream: stream as NodeJS.WriteStream }) : text;
  };
  return {
    isTTY,
    get columns() {
      return isTTY ? stream.columns : undefined;
    },
    write(...parts) {
      const last = parts.at(-1) ?? '';
      const line = typeof last === 'string' ? [...parts.slice(0, -1), last.replace(/\n$/, '')] : parts;
      stream.write(`${line.map(shown).join('')}\n`);
    },
    json(value) {
      stream.write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
    },
    async jsonLine(value) {
      const hasRoom = stream.write(`${visibleJson(JSON.stringify(value))}\n`);
      if (hasRoom === false) await new Promise<void>((resolve) => stream.once?.('drain', resolve));
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
