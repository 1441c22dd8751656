import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { WhyNotEditable } from '../../facts/config/config-edit-facts.ts';

/** Where one destination of a list is written, in characters from the beginning of the text. */
export interface WrittenItem {
  /** The beginning of the line with its dash. */
  readonly from: number;
  /** Behind the line end of its last line; the end of the text where that has none. */
  readonly to: number;
  /** What is before its dash, and between the dash and its first key. */
  readonly indent: string;
  readonly gap: string;
}

/** The list `publish` of a policy, written so that a line can be added or taken out. */
export interface PublishList {
  readonly document: Document.Parsed;
  readonly items: readonly WrittenItem[];
}

/** Why a text cannot be edited, and where. */
export interface NotEditable {
  readonly why: WhyNotEditable;
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the destinations of a policy in a YAML file. Only what is written as a block, by itself, is
 * edited: an anchor, an alias or a tag may mean something to another part of the file.
 */
export function publishList(text: string, policy: string): PublishList | NotEditable {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const refuse = (why: WhyNotEditable, offset = 0): NotEditable => {
    const { line, col: column } = lines.linePos(offset);
    return { why, line, column };
  };
  let node: unknown = document.contents;
  for (const key of ['policies', policy, 'publish']) {
    const doubt = doubtOf(node);
    if (doubt) return refuse(doubt.why, doubt.offset);
    const pair = isMap(node)
      ? (node as YAMLMap).items.find((each) => isScalar(each.key) && each.key.value === key)
      : undefined;
    if (!isPair(pair)) return refuse('not-found', rangeOf(node)?.[0]);
    node = pair.value;
  }
  const doubt = doubtOf(node);
  if (doubt) return refuse(doubt.why, doubt.offset);
  if (!isSeq(node)) return refuse('not-found', rangeOf(node)?.[0]);
  const items: WrittenItem[] = [];
  for (const item of (node as YAMLSeq<ParsedNode>).items) {
    const written = itemIn(text, item);
    if ('why' in written) return refuse(written.why, rangeOf(item)?.[0]);
    items.push(written);
  }
  return { document, items };
}

interface Doubt {
  readonly why: WhyNotEditable;
  readonly offset: number | undefined;
}

/** Why what is inside a node cannot be edited without a doubt. */
function doubtOf(node: unknown): Doubt | undefined {
  const offset = rangeOf(node)?.[0];
  if (isAlias(node)) return { why: 'alias', offset };
  if (!isMap(node) && !isSeq(node)) return { why: 'not-found', offset };
  if (node.anchor !== undefined) return { why: 'anchor', offset };
  if (
    node.tag !== undefined &&
    node.tag !== 'tag:yaml.org,2002:map' &&
    node.tag !== 'tag:yaml.org,2002:seq'
  ) {
    return { why: 'tag', offset };
  }
  return node.flow ? { why: 'brackets', offset } : undefined;
}

function itemIn(text: string, item: ParsedNode): WrittenItem | { readonly why: WhyNotEditable } {
  const start = rangeOf(item)?.[0];
  const end = endOf(item);
  if (start === undefined || end === undefined) return { why: 'unclear' };
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const [, indent, gap] = /^\uFEFF?( *)-( +)$/.exec(text.slice(from, start)) ?? [];
  if (indent === undefined || gap === undefined) return { why: 'unclear' };
  // A text block ends with its line.
  if (text[end - 1] === '\n') return { from, to: end, indent, gap };
  const newline = text.indexOf('\n', end);
  const to = newline === -1 ? text.length : newline + 1;
  if (!/^[ \t]*(#.*)?\r?\n?$/.test(text.slice(end, to))) return { why: 'unclear' };
  return { from, to, indent, gap };
}

/** Behind the last character of what a node says, without the comments after it. */
function endOf(node: unknown): number | undefined {
  if (isPair(node)) return endOf(node.value) ?? endOf(node.key);
  if ((isMap(node) || isSeq(node)) && !node.flow) return endOf(node.items.at(-1));
  return rangeOf(node)?.[1];
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  const range = (node as { readonly range?: readonly [number, number, number] | null } | null)?.range;
  return range ?? undefined;
}
