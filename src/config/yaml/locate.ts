import { type Alias, isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode } from 'yaml';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Place, Problem } from '../../facts/problem.ts';
import { type Path, renderPath } from '../config-error.ts';
import { interpolate, type ReferenceSources } from './interpolate.ts';
import type { Located } from './located.ts';
import { placeAt, type YamlFile } from './read-yaml.ts';

// A few lines of aliases can stand for millions of values. No configuration needs this many.
const MAX_ALIASES = 1_000;

interface Walk extends ReferenceSources {
  readonly file: YamlFile;
  readonly report: (problem: Problem) => void;
  readonly insideAliases: Set<unknown>;
  aliases: number;
}

/**
 * Turns a YAML file into located values, and fills in what `${…}` refers to. Values are parsed by
 * then, so what is filled in can never become YAML. Undefined for an empty file.
 */
export function locate(
  file: YamlFile,
  sources: ReferenceSources,
  report: (problem: Problem) => void,
): Located | undefined {
  const { contents } = file.document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined;
  return locateNode(contents, [], { ...sources, file, report, insideAliases: new Set(), aliases: 0 });
}

function locateNode(node: ParsedNode | null, path: Path, walk: Walk, keyPlace?: Place): Located {
  const place = placeOf(node, walk.file) ?? keyPlace ?? { file: walk.file.name };
  const content = contentOf(node, path, walk, place);
  return keyPlace === undefined ? { place, content } : { place, keyPlace, content };
}

function contentOf(node: ParsedNode | null, path: Path, walk: Walk, place: Place): Located['content'] {
  if (isAlias(node)) return aliasContent(node, path, walk, place);
  if (isMap(node)) return mappingContent(node.items, path, walk, place);
  if (isSeq(node)) {
    return {
      kind: 'list',
      items: node.items.map((item, index) => locateNode(item, [...path, index], walk)),
    };
  }
  const value: unknown = node === null ? null : node.value;
  const interpolated = typeof value === 'string' ? interpolate(value, walk) : undefined;
  if (interpolated === undefined) return { kind: 'scalar', value };
  const { value: filled, written, faults } = interpolated;
  for (const fault of faults) walk.report({ ...place, path: renderPath(path), fact: fault });
  return { kind: 'scalar', value: filled, written, ...(faults.length > 0 ? { broken: true } : {}) };
}

function mappingContent(
  pairs: readonly Pair<ParsedNode, ParsedNode | null>[],
  path: Path,
  walk: Walk,
  place: Place,
): Located['content'] {
  const entries = new Map<string, Located>();
  for (const pair of pairs) {
    const key = keyOf(pair.key);
    const at = placeOf(pair.key, walk.file) ?? place;
    const earlier = key === undefined ? undefined : entries.get(key);
    if (key === undefined) {
      walk.report({ ...at, path: renderPath(path), fact: fact('yaml-key-unusable', {}) });
    } else if (earlier !== undefined) {
      walk.report({ ...at, path: renderPath([...path, key]), fact: definedTwice(key, earlier) });
    } else {
      entries.set(key, locateNode(pair.value, [...path, key], walk, at));
    }
  }
  return { kind: 'mapping', entries };
}

function aliasContent(alias: Alias, path: Path, walk: Walk, place: Place): Located['content'] {
  const target = alias.resolve(walk.file.document);
  walk.aliases += 1;
  if (target === undefined || walk.insideAliases.has(target) || walk.aliases > MAX_ALIASES) {
    walk.report({ ...place, path: renderPath(path), fact: fact('yaml-alias-unresolved', {}) });
    return { kind: 'scalar', value: null, broken: true };
  }
  walk.insideAliases.add(target);
  const content = contentOf(target as ParsedNode, path, walk, place);
  walk.insideAliases.delete(target);
  return content;
}

/** A name that is there already, with the place of the first. */
export function definedTwice(name: string, earlier: Located): Fact {
  return fact('defined-twice', { name, first: earlier.keyPlace ?? earlier.place });
}

/** A key as it is written: `007` is a name, not a number. */
function keyOf(key: ParsedNode): string | undefined {
  // zod ignores __proto__ silently.
  if (!isScalar(key) || key.value === null || key.value === '__proto__') return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function placeOf(node: ParsedNode | null, file: YamlFile): Place | undefined {
  return node?.range ? placeAt(file, node.range[0]) : undefined;
}
