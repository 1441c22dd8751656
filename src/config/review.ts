import type { Fact } from '../facts/fact.ts';
import type { Place, Problem, Shown } from '../facts/problem.ts';
import { type Path, renderPath } from './config-error.ts';
import { entriesOf, find, isInterpolated, type Located, problemAt, shownAt } from './yaml/located.ts';

/** Collects what is found out about a configuration, each at the place where it is written. */
export class Review {
  readonly problems: Problem[];
  readonly warnings: Problem[] = [];
  /** What the schema made of values that come often: by schema, and by the value as JSON. */
  readonly kept = new Map<unknown, Map<string, unknown>>();
  /** The configuration as it is written, with each URL spelt out. */
  readonly tree: Located;

  constructor(tree: Located, problems: readonly Problem[]) {
    this.tree = tree;
    this.problems = [...problems];
  }

  report(path: Path, fact: Fact): void {
    this.problems.push(problemAt(this.tree, path, fact));
  }

  /** Reports what is wrong with the key at a path, not with its value. */
  reportKey(path: Path, fact: Fact): void {
    const place = find(this.tree, path)?.keyPlace ?? this.tree.place;
    this.problems.push({ ...place, path: renderPath(path), fact });
  }

  warn(path: Path, fact: Fact): void {
    this.warnings.push(problemAt(this.tree, path, fact));
  }

  /** The value at a path as messages may show it. */
  shown(path: Path): Shown {
    return shownAt(this.tree, path);
  }

  /** The keys that are written at a path, valid or not; undefined where there is no mapping. */
  keysAt(path: Path): readonly string[] | undefined {
    const located = find(this.tree, path);
    return located?.content.kind === 'mapping' ? [...entriesOf(located).keys()] : undefined;
  }

  placeOf(path: Path): Place | undefined {
    return find(this.tree, path)?.place;
  }

  /** Whether the value at a path was filled in from elsewhere. */
  isInterpolated(path: Path): boolean {
    return isInterpolated(this.tree, path);
  }
}
