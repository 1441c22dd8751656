import { shownName } from './checks/credential-like.ts';

/** Where something stands in the configuration. Without line and column: the file or folder as a whole. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

/** The way from the top of the configuration to an entry: keys, and positions in lists from 0. */
export type Path = readonly (string | number)[];

/** One thing that is wrong, or in a warning one that is worth a thought. */
export interface Problem extends Place {
  /** Such as `policies.orders-api.publish[0].store`; empty where no entry is concerned. */
  readonly path: string;
  /** What is wrong; what is allowed. Never an interpolated value, for it may be a secret. */
  readonly message: string;
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(renderProblem).join('\n'));
    this.problems = problems;
  }
}

/** One line: `file:line:column path: what is wrong; what is allowed`. */
export function renderProblem(problem: Problem): string {
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  return `${renderPlace(problem)}${path}: ${problem.message}`;
}

/** `file:line:column`, as editors and terminals turn into a link. */
export function renderPlace({ file, line, column }: Place): string {
  const name = shownName(file);
  return line === undefined ? name : `${name}:${line}:${column}`;
}

/** `['publish', 0, 'store']` as `publish[0].store`. */
export function renderPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      return `${index === 0 ? '' : '.'}${shownName(part)}`;
    })
    .join('');
}
