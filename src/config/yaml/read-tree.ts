import { resolve } from 'node:path';
import type { Place, Problem } from '../../facts/problem.ts';
import { locate } from './locate.ts';
import type { Located } from './located.ts';
import { mergeFiles } from './merge-files.ts';
import { type ReadText, readText, VALUE_LIMIT } from './read-text.ts';
import { readYaml, type YamlFile } from './read-yaml.ts';

export interface ConfigSource {
  /** A YAML file, or a folder of which every `*.yaml` is read. */
  readonly path: string;
  /** The environment for `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder at which relative paths start, those inside the configuration too. */
  readonly cwd: string;
}

export interface ReadTree {
  readonly tree: Located;
  /** Reads another file that the configuration names. */
  readonly read: ReadText;
  /** Everything that was read for it, by absolute path; grows with `read`. */
  readonly files: ReadonlySet<string>;
}

/** Reads a configuration, each value with its place, and reports what cannot be read. */
export function readTree({ path, env, cwd }: ConfigSource, report: (problem: Problem) => void): ReadTree {
  const files = new Set([resolve(cwd, path)]);
  const reader =
    (limit?: number): ReadText =>
    (name) => {
      const file = resolve(cwd, name);
      files.add(file);
      return readText(file, limit);
    };
  const read = reader();
  const yaml = readYaml(path, cwd, read);
  for (const problem of yaml.problems) report(problem);
  const located = yaml.files.flatMap(
    (file) => locate(file, { env, read: reader(VALUE_LIMIT) }, report) ?? [],
  );
  return { tree: mergeFiles(located, placeOfWhole(path, yaml.files), report), read, files };
}

function placeOfWhole(path: string, files: readonly YamlFile[]): Place {
  return files.length === 1 && files[0]?.name === path ? { file: path, line: 1, column: 1 } : { file: path };
}
