import { resolve } from 'node:path';
import { buildConfig } from './build-config.ts';
import { checkConnections } from './check-connections.ts';
import { checkDestinations } from './check-destinations.ts';
import { checkLogins } from './check-logins.ts';
import { checkSchedules } from './check-schedules.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkShape } from './check-shape.ts';
import type { Config } from './config.ts';
import { ConfigError, type Place, type Problem, renderProblem } from './config-error.ts';
import { describeIssue } from './describe-issue.ts';
import { draftOf } from './draft.ts';
import { locate } from './locate.ts';
import { mergeFiles } from './merge-files.ts';
import { type ReadText, readText } from './read-text.ts';
import { readYaml, type YamlFile } from './read-yaml.ts';

export interface ConfigSource {
  /** A YAML file, or a folder of which every `*.yaml` is read. */
  readonly path: string;
  /** The environment for `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder at which relative paths start, those inside the configuration too. */
  readonly cwd: string;
}

/** Reads and validates a configuration whole. Throws a ConfigError with everything that is wrong with it. */
export function loadConfig({ path, env, cwd }: ConfigSource): Config {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const report = (problem: Problem) => problems.push(problem);

  const files = new Set([resolve(cwd, path)]);
  const read: ReadText = (name) => {
    const file = resolve(cwd, name);
    files.add(file);
    return readText(file);
  };
  const yaml = readYaml(path, cwd, read);
  problems.push(...yaml.problems);
  const located = yaml.files.flatMap((file) => locate(file, { env, read }, report) ?? []);
  const tree = mergeFiles(located, placeOfWhole(path, yaml.files), report);
  // What is in a file that cannot be read, or is nothing but a list, would be reported as missing.
  if (problems.some((problem) => problem.path === '')) throw configError(problems);

  const { entry, issues } = checkShape(tree);
  for (const issue of issues) problems.push(...describeIssue(tree, issue));
  const draft = draftOf(tree, { problems, warnings });
  const tls = checkConnections(draft, read);
  checkLogins(draft);
  checkSchedules(draft);
  checkSecrets(draft, checkDestinations(draft, cwd));

  if (problems.length > 0 || entry === undefined) throw configError(problems);
  return buildConfig(entry, { cwd, tls, files: [...files], warnings: inOrder(warnings).map(renderProblem) });
}

function placeOfWhole(path: string, files: readonly YamlFile[]): Place {
  return files.length === 1 && files[0]?.name === path ? { file: path, line: 1, column: 1 } : { file: path };
}

function configError(problems: readonly Problem[]): ConfigError {
  // Two rules on one value may say the same.
  const distinct = new Map(problems.map((problem) => [renderProblem(problem), problem]));
  return new ConfigError(inOrder([...distinct.values()]));
}

/** As one reads: by file, then from top to bottom. */
function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
