import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from 'yaml';
import type { Destination } from '../policy.ts';
import { entryLines } from './entry-lines.ts';
import { type NotEditable, type PublishList, publishList } from './publish-list.ts';

/** An edited text, and the lines that it has more or less than before. */
export interface Edited {
  readonly text: string;
  readonly lines: readonly string[];
  /** The number of the first of these lines, in the text that has them. */
  readonly line: number;
}

/** Adds a destination behind the last one of a policy. All other characters stay as they are. */
export function addDestination(text: string, policy: string, destination: Destination): Edited | NotEditable {
  const list = publishList(text, policy);
  const last = 'items' in list ? list.items.at(-1) : undefined;
  if (!('items' in list)) return list;
  if (last === undefined) return { why: 'not-found', ...placeAt(text, 0) };
  const { to, indent, gap } = last;
  const eol = lineEnd(text, to);
  const lines = entryLines(destination, { indent, gap });
  const hasEnd = text[to - 1] === '\n';
  const added = hasEnd ? lines.map((line) => line + eol).join('') : lines.map((line) => eol + line).join('');
  const edited = text.slice(0, to) + added + text.slice(to);
  const place = placeAt(text, to);
  const wanted = (publish: unknown[]) => [...publish, entryOf(destination)];
  if (!says(list, edited, policy, wanted)) return { why: 'unclear', ...place };
  return { text: edited, lines, line: hasEnd ? place.line : place.line + 1 };
}

/** Takes the destination with an index out. All other characters stay as they are. */
export function takeDestination(text: string, policy: string, index: number): Edited | NotEditable {
  const list = publishList(text, policy);
  if (!('items' in list)) return list;
  const item = list.items[index];
  if (item === undefined) return { why: 'not-found', ...placeAt(text, 0) };
  const { to } = item;
  const eol = lineEnd(text, item.from);
  // Without a line end of its own it takes that of the line before.
  const from = text[to - 1] === '\n' ? item.from : item.from - eol.length;
  const edited = text.slice(0, from) + text.slice(to);
  const place = placeAt(text, item.from);
  const wanted = (publish: unknown[]) => publish.toSpliced(index, 1);
  if (!says(list, edited, policy, wanted)) return { why: 'unclear', ...place };
  const lines = text
    .slice(item.from, to)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  return { text: edited, lines, line: place.line };
}

/** As the YAML reader sees it. */
function entryOf({ store, create, secrets }: Destination): unknown {
  const named = Object.entries(secrets).map(([field, { secret, key }]) => [
    field,
    key === undefined ? secret : `${secret}#${key}`,
  ]);
  return { store, ...(create ? { create } : {}), secrets: Object.fromEntries(named) };
}

/** Whether a text says what the one before did, except for the list of this policy. */
function says(
  { document }: PublishList,
  edited: string,
  policy: string,
  wanted: (publish: unknown[]) => unknown[],
): boolean {
  const after = parseDocument(edited, { prettyErrors: false, uniqueKeys: false });
  if (after.errors.length > 0) return false;
  try {
    // What policies have is checked before: publish is a list here.
    const expected = document.toJS() as Tree;
    const own = expected.policies[policy];
    if (own) own.publish = wanted(own.publish);
    return isDeepStrictEqual(after.toJS(), expected);
  } catch {
    // More aliases than the reader resolves.
    return false;
  }
}

interface Tree {
  readonly policies: Readonly<Record<string, { publish: unknown[] }>>;
}

/** The line end of the line before an offset; that of the file's first line where it has none. */
function lineEnd(text: string, offset: number): string {
  const before = /\r?\n$/.exec(text.slice(0, offset))?.[0];
  return before ?? /\r?\n/.exec(text)?.[0] ?? '\n';
}

function placeAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
