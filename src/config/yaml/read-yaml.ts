import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Document, LineCounter, type ParsedNode, parseDocument, type YAMLError } from 'yaml';
import type { YamlFault } from '../../facts/config/config-file-facts.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Place, Problem } from '../../facts/problem.ts';
import { fileFaultOf, type ReadText } from './read-text.ts';

/** One parsed file. `name` is how messages call it: as given, relative paths stay relative. */
export interface YamlFile {
  readonly name: string;
  readonly document: Document.Parsed<ParsedNode>;
  readonly lines: LineCounter;
}

export interface YamlFiles {
  readonly files: readonly YamlFile[];
  readonly problems: readonly Problem[];
}

/** Reads a YAML file, or every `*.yaml` of a folder by name. A relative path starts at `cwd`. */
export function readYaml(path: string, cwd: string, readText: ReadText): YamlFiles {
  const listed = listFiles(path, cwd);
  if ('fact' in listed) return { files: [], problems: [{ file: path, path: '', ...listed }] };
  const files: YamlFile[] = [];
  const problems: Problem[] = [];
  for (const name of listed.names) {
    const read = readText(name);
    if ('fault' in read) {
      problems.push({ file: name, path: '', fact: fact('config-file-unreadable', read.fault) });
      continue;
    }
    const lines = new LineCounter();
    // Repeated keys are found later, where the place of the first one is known.
    const document = parseDocument(read.text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
    const broken = brokenPlaces(name, read.text, document, lines);
    if (broken.length === 0) files.push({ name, document, lines });
    problems.push(...broken);
  }
  return { files, problems };
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
function brokenPlaces(file: string, text: string, document: Document.Parsed, lines: LineCounter): Problem[] {
  const problems = new Map<number | undefined, Problem>();
  // An unknown tag or directive is only a warning of the parser, but it would change the value.
  for (const error of [...document.errors, ...document.warnings]) {
    const place = placeAt(file, lines, error.pos[0]);
    if (!problems.has(place.line)) {
      problems.set(place.line, {
        ...place,
        path: '',
        fact: fact('yaml-invalid', { why: faultIn(error, text) }),
      });
    }
    if (error.code === 'UNEXPECTED_TOKEN') break;
  }
  return [...problems.values()];
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
export function placeAt(file: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
}
