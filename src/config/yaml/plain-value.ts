import type { Place } from '../../facts/problem.ts';
import type { Located } from './located.ts';

/** A line, and how far it is read. */
export interface Cursor {
  readonly line: string;
  at: number;
  readonly placeAt: (at: number) => Place;
}

// Words and numbers as the core schema tells them apart:
// https://yaml.org/spec/1.2.2/#103-core-schema
const WORD = /[A-Za-z0-9_/][A-Za-z0-9_./#-]*/y;
const QUOTED = /"([ !#-[\]-~]*)"|'([ -&(-~]*)'/y;
const KEY = /([A-Za-z0-9][A-Za-z0-9_-]*): +(?=[^ ])/y;
const SPACES = / */y;

const NULL = /^(null|Null|NULL)$/;
const TRUE = /^(true|True|TRUE)$/;
const FALSE = /^(false|False|FALSE)$/;
const WHOLE = /^(0|[1-9]\d{0,8})$/;
const OTHER_NUMBER = /^(0o[0-7]+|0x[0-9A-Fa-f]+|\d+(\.\d*)?([eE][-+]?\d+)?)$/;

/** Whether a word can be a key: YAML takes `null` for no key at all. */
export function isPlainKey(key: string): boolean {
  return !NULL.test(key);
}

/**
 * Reads one value of a line: a list or a mapping in brackets, text in quotes without escapes, or a
 * plain word. Undefined for all other styles of YAML.
 */
export function readPlainValue(cursor: Cursor): Located | undefined {
  const place = cursor.placeAt(cursor.at);
  const content = contentOf(cursor);
  return content && { place, content };
}

function contentOf(cursor: Cursor): Located['content'] | undefined {
  switch (cursor.line[cursor.at]) {
    case '[':
      return readList(cursor);
    case '{':
      return readMapping(cursor);
    case '"':
    case "'": {
      const quoted = take(cursor, QUOTED);
      return quoted && { kind: 'scalar', value: quoted[1] ?? quoted[2] };
    }
    default: {
      const [word] = take(cursor, WORD) ?? [];
      return word === undefined ? undefined : readWord(word);
    }
  }
}

function readWord(word: string): Located['content'] | undefined {
  if (WHOLE.test(word)) return { kind: 'scalar', value: Number(word) };
  if (OTHER_NUMBER.test(word) || NULL.test(word)) return undefined;
  if (TRUE.test(word)) return { kind: 'scalar', value: true };
  return { kind: 'scalar', value: FALSE.test(word) ? false : word };
}

function readList(cursor: Cursor): Located['content'] | undefined {
  const items: Located[] = [];
  const isRead = readItems(cursor, ']', () => {
    const item = readPlainValue(cursor);
    if (item) items.push(item);
    return item !== undefined;
  });
  return isRead ? { kind: 'list', items } : undefined;
}

function readMapping(cursor: Cursor): Located['content'] | undefined {
  const entries = new Map<string, Located>();
  const isRead = readItems(cursor, '}', () => {
    const keyPlace = cursor.placeAt(cursor.at);
    const [, key] = take(cursor, KEY) ?? [];
    if (key === undefined || !isPlainKey(key) || entries.has(key)) return false;
    const value = readPlainValue(cursor);
    if (value) entries.set(key, { place: value.place, keyPlace, content: value.content });
    return value !== undefined;
  });
  return isRead ? { kind: 'mapping', entries } : undefined;
}

/** Reads what stands between brackets. Returns false at the first thing that is not plain. */
function readItems(cursor: Cursor, end: string, readItem: () => boolean): boolean {
  cursor.at += 1;
  take(cursor, SPACES);
  if (cursor.line[cursor.at] !== end) {
    for (;;) {
      if (!readItem()) return false;
      take(cursor, SPACES);
      if (cursor.line[cursor.at] === end) break;
      if (cursor.line[cursor.at] !== ',') return false;
      cursor.at += 1;
      take(cursor, SPACES);
    }
  }
  cursor.at += 1;
  return true;
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.line) ?? undefined;
  if (found) cursor.at = pattern.lastIndex;
  return found;
}
