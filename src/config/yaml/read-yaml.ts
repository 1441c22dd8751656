import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Document, LineCounter, type ParsedNode, parseDocument, type YAMLError } from 'yaml';
import type { Place, Problem } from '../config-error.ts';
import { faultOf, type ReadText } from './read-text.ts';

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

/** Reads a YAML file, or every `*.yaml` of a folder in the order of their names. A relative path starts at `cwd`. */
export function readYaml(path: string, cwd: string, readText: ReadText): YamlFiles {
  const listed = listFiles(path, cwd);
  if ('fault' in listed) return { files: [], problems: [{ file: path, path: '', message: listed.fault }] };
  const files: YamlFile[] = [];
  const problems: Problem[] = [];
  for (const name of listed.names) {
    const read = readText(name);
    if ('fault' in read) {
      problems.push({ file: name, path: '', message: `${read.fault}; must be a readable YAML file` });
      continue;
    }
    const lines = new LineCounter();
    // Keys that appear twice are found later, where the place of the first is known too.
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
): { readonly names: readonly string[] } | { readonly fault: string } {
  try {
    if (!statSync(resolve(cwd, path)).isDirectory()) return { names: [path] };
    const all = readdirSync(resolve(cwd, path)).sort();
    // Hidden ones are locks of editors, and the versions of a mounted Kubernetes ConfigMap.
    const names = all.filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
    if (names.length > 0) return { names: names.map((name) => join(path, name)) };
    return { fault: 'holds no *.yaml file; must be a YAML file or a folder of *.yaml files' };
  } catch (error) {
    return { fault: `${faultOf(error)}; must be a YAML file or a folder of *.yaml files` };
  }
}

/** What keeps a file from being YAML, once a line, up to where the parser lost its way. */
function brokenPlaces(file: string, text: string, document: Document.Parsed, lines: LineCounter): Problem[] {
  const problems = new Map<number | undefined, Problem>();
  // An unknown tag or directive is only a warning to the parser, but it would change what the value is.
  for (const error of [...document.errors, ...document.warnings]) {
    const place = placeAt(file, lines, error.pos[0]);
    if (!problems.has(place.line)) {
      problems.set(place.line, { ...place, path: '', message: sayWhy(error, text) });
    }
    if (error.code === 'UNEXPECTED_TOKEN') break;
  }
  return [...problems.values()];
}

/** In our own words: the parser's quote what they stumbled over, and that may be a password. */
function sayWhy({ code, pos: [offset] }: YAMLError, text: string): string {
  // Between brackets YAML takes this brace for a mapping, which surprises everyone once.
  if (text.slice(offset - 1, offset + 1) === '${') return '"${" between brackets; quote the value';
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; a file must be one YAML document';
    case 'TAB_AS_INDENT':
      return 'a tab where the line is indented; indent with spaces';
    case 'BAD_INDENT':
      return 'indented in a way that fits nothing above; entries of one mapping or list must be indented alike, and brackets closed';
    case 'MISSING_CHAR':
      return 'a quote, bracket or comma is missing before this; add it';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a second ": " in one entry; quote a value that has one';
    case 'BAD_SCALAR_START':
      return 'a value cannot begin with this character; quote it';
    case 'BAD_DQ_ESCAPE':
      return 'an unknown escape in double quotes; write \\\\ for a backslash, or use single quotes';
    case 'TAG_RESOLVE_FAILED':
    case 'MULTIPLE_TAGS':
      return 'a tag that means nothing here; quote a value that begins with !';
    case 'BAD_ALIAS':
    case 'ALIAS_PROPS':
      return 'no valid alias or anchor; quote a value that begins with * or &';
    default:
      return 'not YAML from here on; look for a missing quote, colon or bracket';
  }
}

/** The place of an offset into a file, in characters from 0. */
export function placeAt(file: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line, column: col };
}
