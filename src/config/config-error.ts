import { fact } from '../facts/fact.ts';
import { Fault } from '../facts/fault.ts';
import type { Problem } from '../facts/problem.ts';
import { isCredentialLike, shownName } from './checks/credential-like.ts';

/** The way from the top of the configuration to an entry: keys, and positions in lists from 0. */
export type Path = readonly (string | number)[];

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Fault {
  /** By file, then from top to bottom. */
  readonly problems: readonly Problem[];

  constructor(found: readonly Problem[]) {
    // Two rules on one value may say the same.
    const distinct = new Map(found.map(withoutCredentials).map((each) => [JSON.stringify(each), each]));
    const problems = inOrder([...distinct.values()]);
    super(fact('config-invalid', { problems }));
    this.problems = problems;
  }
}

/** As one reads: by file, then from top to bottom. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
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

/** A problem in which no parameter may hold a password, whatever was written in a wrong place. */
function withoutCredentials(problem: Problem): Problem {
  // The shape stays, and with it the type; only texts change.
  const params = masked(problem.fact.params) as never;
  return { ...problem, file: shownName(problem.file), fact: { ...problem.fact, params } };
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return isCredentialLike(value) ? '…' : value;
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, masked(part)]));
}
