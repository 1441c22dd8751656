import { resolve } from 'node:path';
import { fact } from '../../facts/fact.ts';
import type { Place, Problem } from '../../facts/problem.ts';
import type { ReferenceSources } from './interpolate.ts';
import { locate } from './locate.ts';
import type { Located } from './located.ts';
import { mergeFiles } from './merge-files.ts';
import { type ReadText, readText, VALUE_LIMIT } from './read-text.ts';
import { listYaml, parseYaml } from './read-yaml.ts';

export interface ConfigSource {
  /** A YAML file, or a folder of which every `*.yaml` is read. */
  readonly path: string;
  /** The environment for `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder at which relative paths start, those inside the configuration too. */
  readonly cwd: string;
  /** What files are to say that are about to be written, by absolute path. */
  readonly edited?: ReadonlyMap<string, string>;
}

export interface ReadTree {
  readonly tree: Located;
  /** Reads another file that the configuration names. */
  readonly read: ReadText;
  /** Everything that was read for it, by absolute path; grows with `read`. */
  readonly files: ReadonlySet<string>;
}

/** Reads a configuration, each value with its place, and reports what cannot be read. */
export function readTree(
  { path, env, cwd, edited }: ConfigSource,
  report: (problem: Problem) => void,
): ReadTree {
  const files = new Set([resolve(cwd, path)]);
  const reader =
    (limit?: number): ReadText =>
    (name) => {
      const file = resolve(cwd, name);
      files.add(file);
      const text = edited?.get(file);
      return text === undefined ? readText(file, limit) : { text };
    };
  const read = reader();
  const listed = listYaml(path, cwd);
  if ('problem' in listed) report(listed.problem);
  const names = 'names' in listed ? listed.names : [];
  const sources = { env, read: reader(VALUE_LIMIT) };
  const located = names.flatMap((name) => locateFile(name, { read, sources, report }));
  return { tree: mergeFiles(located, placeOfWhole(path, names), report), read, files };
}

interface FileReader {
  readonly read: ReadText;
  readonly sources: ReferenceSources;
  readonly report: (problem: Problem) => void;
}

/** The values of a file, in as many parts as it was parsed in; none where it cannot be read. */
function locateFile(name: string, { read, sources, report }: FileReader): readonly Located[] {
  const file = read(name);
  if ('fault' in file) {
    report({ file: name, path: '', fact: fact('config-file-unreadable', file.fault) });
    return [];
  }
  const found: Problem[] = [];
  const parsed = parseYaml(name, file.text, (part) =>
    locate(part, sources, (problem) => found.push(problem)),
  );
  for (const problem of 'problems' in parsed ? parsed.problems : found) report(problem);
  return 'taken' in parsed ? parsed.taken.flatMap((part) => part ?? []) : [];
}

function placeOfWhole(path: string, names: readonly string[]): Place {
  return names.length === 1 && names[0] === path ? { file: path, line: 1, column: 1 } : { file: path };
}
