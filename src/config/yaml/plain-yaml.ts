import type { Located } from './located.ts';
import { isPlainKey, readPlainValue } from './plain-value.ts';
import type { YamlPart } from './split-yaml.ts';

/** YAML allows a key no more than 1024 characters. */
const LONGEST_LINE = 1_000;
/** Blank, or a comment. */
const EMPTY = /^ *(#|$)/;
const KEY = /([A-Za-z0-9][A-Za-z0-9_-]*):(?: +(?=[^ ])|$)/y;

interface Lines {
  readonly file: string;
  readonly linesBefore: number;
  readonly lines: string[];
  next: number;
}

/**
 * Reads a part of a file that is written in the plain style of most configurations: mappings and
 * lists by indentation, and each value on the line of its key. A parser for all of YAML takes ten
 * times as long and as much memory, which counts for a fleet. It reads the part where anything else
 * is written: then this returns undefined. Both find the same values at the same places.
 */
export function locatePlain(file: string, { text, linesBefore }: YamlPart): Located | undefined {
  // References are filled in elsewhere.
  if (text.includes('${')) return undefined;
  const lines: Lines = { file, linesBefore, lines: text.split('\n'), next: 0 };
  if (lines.lines.some((line) => line.length > LONGEST_LINE)) return undefined;
  const read = depthOf(lines) === 0 ? readMapping(lines, 0) : undefined;
  return read && depthOf(lines) === undefined ? read : undefined;
}

/** How far the next line is indented that is not empty; undefined at the end. */
function depthOf(lines: Lines): number | undefined {
  for (; lines.next < lines.lines.length; lines.next += 1) {
    const line = lines.lines[lines.next] ?? '';
    if (!EMPTY.test(line)) return line.search(/[^ ]/);
  }
  return undefined;
}

function readBlock(lines: Lines, depth: number): Located | undefined {
  return lines.lines[lines.next]?.startsWith('- ', depth)
    ? readList(lines, depth)
    : readMapping(lines, depth);
}

function readMapping(lines: Lines, depth: number): Located | undefined {
  const place = placeAt(lines, depth);
  const entries = new Map<string, Located>();
  while (depthOf(lines) === depth) {
    const keyPlace = placeAt(lines, depth);
    const [whole = '', key] = keyAt(lines, depth) ?? [];
    if (key === undefined || !isPlainKey(key) || entries.has(key)) return undefined;
    const value = readValue(lines, { depth, at: depth + whole.length });
    if (value === undefined) return undefined;
    entries.set(key, { place: value.place, keyPlace, content: value.content });
  }
  return isOver(lines, depth) ? { place, content: { kind: 'mapping', entries } } : undefined;
}

function readList(lines: Lines, depth: number): Located | undefined {
  const place = placeAt(lines, depth);
  const items: Located[] = [];
  while (depthOf(lines) === depth) {
    const line = lines.lines[lines.next] ?? '';
    if (!/^- [^ ]/.test(line.slice(depth, depth + 3))) return undefined;
    // An item that is a mapping begins on the line of its dash, and is indented as though without.
    lines.lines[lines.next] = `${' '.repeat(depth + 2)}${line.slice(depth + 2)}`;
    const item = keyAt(lines, depth + 2)
      ? readMapping(lines, depth + 2)
      : readValue(lines, { depth, at: depth + 2 });
    if (item === undefined) return undefined;
    items.push(item);
  }
  return isOver(lines, depth) ? { place, content: { kind: 'list', items } } : undefined;
}

/** Reads what stands on the rest of a line, or, where that is empty, what is indented below it. */
function readValue(
  lines: Lines,
  { depth, at }: { readonly depth: number; readonly at: number },
): Located | undefined {
  const line = lines.lines[lines.next] ?? '';
  if (at === line.length) {
    lines.next += 1;
    const below = depthOf(lines) ?? 0;
    return below > depth ? readBlock(lines, below) : undefined;
  }
  const number = lines.next;
  const cursor = { line, at, placeAt: (from: number) => placeAt(lines, from, number) };
  const value = readPlainValue(cursor);
  lines.next += 1;
  return cursor.at === line.length ? value : undefined;
}

function keyAt(lines: Lines, depth: number): RegExpExecArray | undefined {
  KEY.lastIndex = depth;
  return KEY.exec(lines.lines[lines.next] ?? '') ?? undefined;
}

/** Whether what follows belongs to something further out, as it must. */
function isOver(lines: Lines, depth: number): boolean {
  return (depthOf(lines) ?? -1) < depth;
}

function placeAt({ file, linesBefore, next }: Lines, at: number, number = next) {
  return { file, line: number + 1 + linesBefore, column: at + 1 };
}
