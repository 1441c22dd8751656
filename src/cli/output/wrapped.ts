import stringWidth from 'string-width';
import { visible } from '../../visible.ts';

/** A text in lines of at most this width, between words where that is possible. */
export function wrapped(text: string, width: number): string[] {
  const shown = visible(text);
  if (stringWidth(shown) <= width) return [shown];
  const lines: string[] = [];
  let line = '';
  for (const word of shown.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = broken(word, width);
    line = parts.pop() ?? '';
    lines.push(...parts);
  }
  return [...lines, line];
}

/** A word in pieces of at most this width. */
function broken(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const { segment } of new Intl.Segmenter('en').segment(word)) {
    if (piece !== '' && stringWidth(piece + segment) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += segment;
  }
  return [...pieces, piece];
}
