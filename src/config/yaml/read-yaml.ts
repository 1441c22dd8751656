import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Document, LineCounter, type ParsedNode, parseDocument, visit, type YAMLError } from 'yaml';
import type { YamlFault } from '../../facts/config/config-file-facts.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Place, Problem } from '../../facts/problem.ts';
import { fileFaultOf } from './read-text.ts';
import { splitYaml } from './split-yaml.ts';

/** One parsed file, or a part of it. `name` is how messages call it: as given. */
export interface YamlFile {
  readonly name: string;
  readonly document: Document.Parsed<ParsedNode>;
  readonly lines: LineCounter;
  /** How many lines of the file come before the first one here. */
  readonly linesBefore: number;
}

/** The names of the files of a configuration, or why they are not known. */
export type YamlNames = { readonly names: readonly string[] } | { readonly problem: Problem };

/** Lists a YAML file, or every `*.yaml` of a folder by name. A relative path starts at `cwd`. */
export function listYaml(path: string, cwd: string): YamlNames {
  const listed = listFiles(path, cwd);
  return 'fact' in listed ? { problem: { file: path, path: '', ...listed } } : listed;
}

/**
 * Parses a file and hands over its document, or, where it is long, one part after the other: the
 * documents of a fleet would take a hundred times the memory of their text. Where it is not YAML,
 * all that is wrong with it is returned, and what was handed over so far does not count.
 */
export function parseYaml<Result>(
  name: string,
  text: string,
  take: (part: YamlFile) => Result,
): { readonly taken: readonly Result[] } | { readonly problems: readonly Problem[] } {
  const parts = splitYaml(text);
  const taken: Result[] = [];
  for (const part of parts ?? [{ text, linesBefore: 0 }]) {
    const lines = new LineCounter();
    // Repeated keys are found later, where the place of the first one is known.
    const document = parseDocument(part.text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const file = { name, document, lines, linesBefore: part.linesBefore };
    const broken = brokenPlaces(file, part.text);
    if (broken.length === 0) taken.push(take(file));
    else if (parts === undefined) return { problems: broken };
    else return { problems: wholeProblems(name, text) };
  }
  return { taken };
}

/** What is wrong with a file, told as of the whole. */
function wholeProblems(name: string, text: string): readonly Problem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  return brokenPlaces({ name, document, lines, linesBefore: 0 }, text);
}

function listFiles(
  path: string,
  cwd: string,
): { readonly names: readonly string[] } | { readonly fact: Fact } {
  try {
    if (!statSync(resolve(cwd, path)).isDirectory()) return { names: [path] };
    const all = readdirSync(resolve(cwd, path)).sort();
    // Hidden ones are locks of editors, and the versions of a mounted Kubernetes ConfigMap.
    const names = all.filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
    if (names.length > 0) return { names: names.map((name) => join(path, name)) };
    return { fact: fact('config-folder-empty', {}) };
  } catch (error) {
    return { fact: fact('config-path-unreadable', fileFaultOf(error)) };
  }
}

/** Why a file is not YAML, at most once for each line, up to where the parser cannot go on. */
function brokenPlaces(file: YamlFile, text: string): Problem[] {
  const { document } = file;
  const problems = new Map<number | undefined, Problem>();
  // An unknown tag or directive is only a warning of the parser, but it would change the value.
  for (const error of [...document.errors, ...document.warnings]) {
    const seen = faultIn(error, text);
    const open = seen === 'bad-indent' ? unclosed(document, text) : undefined;
    const place = placeAt(file, open ?? error.pos[0]);
    const why = open === undefined ? seen : text[open] === '[' ? 'bracket' : 'brace';
    if (!problems.has(place.line)) {
      problems.set(place.line, { ...place, path: '', fact: fact('yaml-invalid', { why }) });
    }
    // After a tab the parser takes everything for something else.
    if (error.code === 'UNEXPECTED_TOKEN' || error.code === 'TAB_AS_INDENT') break;
  }
  return [...problems.values()];
}

/** The offset of the first bracket or brace that is never closed; undefined: there is none. */
function unclosed(document: Document, text: string): number | undefined {
  let found: number | undefined;
  visit(document, {
    Collection(_, { flow, range }) {
      if (!flow || !range || /[\]}]/.test(text[range[1] - 1] ?? '')) return undefined;
      [found] = range;
      return visit.BREAK;
    },
  });
  return found;
}

/** By the code of the error: its message quotes the text, which may be a password. */
const YAML_FAULTS: Readonly<Partial<Record<YAMLError['code'], YamlFault>>> = {
  MULTIPLE_DOCS: 'second-document',
  TAB_AS_INDENT: 'tab',
  BAD_INDENT: 'bad-indent',
  MISSING_CHAR: 'missing-character',
  BLOCK_AS_IMPLICIT_KEY: 'colon-twice',
  MULTILINE_IMPLICIT_KEY: 'colon-twice',
  BAD_SCALAR_START: 'first-character',
  BAD_DQ_ESCAPE: 'escape',
  TAG_RESOLVE_FAILED: 'tag',
  MULTIPLE_TAGS: 'tag',
  BAD_ALIAS: 'alias',
  ALIAS_PROPS: 'alias',
};

function faultIn({ code, pos: [offset] }: YAMLError, text: string): YamlFault {
  // Between brackets YAML takes this brace for a mapping, which surprises everyone once.
  if (text.slice(offset - 1, offset + 1) === '${') return 'reference-in-brackets';
  return YAML_FAULTS[code] ?? 'unknown';
}

/** The place of an offset into a file, in characters from 0. */
export function placeAt({ name, lines, linesBefore }: YamlFile, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file: name, line: line + linesBefore, column: col };
}
