import { fact } from '../../facts/fact.ts';
import type { Place, Problem } from '../../facts/problem.ts';
import { renderPath } from '../config-error.ts';
import { definedTwice } from './locate.ts';
import { entriesOf, type Located } from './located.ts';

// Sections whose entries may be spread over files; any other is one thing and stands in one file.
const SPREAD = ['connections', 'stores', 'policies'];

/**
 * One configuration from several files. `place` is that of the whole. A name that is defined twice
 * is reported with both places, as are `state` and `queue`, and the first one counts.
 */
export function mergeFiles(
  files: readonly Located[],
  place: Place,
  report: (problem: Problem) => void,
): Located {
  const entries = new Map<string, Located>();
  /** The entries of each section, to which those of later files are added. */
  const spread = new Map<string, Map<string, Located>>();
  for (const file of files) {
    if (file.content.kind !== 'mapping') {
      const found = file.content.kind === 'list' ? 'list' : 'value';
      report({ ...file.place, path: '', fact: fact('config-file-no-mapping', { found }) });
    }
    for (const [name, section] of entriesOf(file)) {
      const earlier = entries.get(name);
      if (earlier === undefined) {
        spread.set(name, new Map(entriesOf(section)));
        entries.set(name, withEntries(section, spread.get(name)));
      } else if (!SPREAD.includes(name)) {
        reportTwice([name], earlier, section, report);
      } else if (earlier.content.kind === 'mapping') {
        // What has the wrong shape is kept, for the shape's own check to report.
        if (section.content.kind !== 'mapping') entries.set(name, section);
        else addEntries(name, spread.get(name), section, report);
      }
    }
  }
  return { place, content: { kind: 'mapping', entries } };
}

function withEntries(section: Located, entries: ReadonlyMap<string, Located> = new Map()): Located {
  return section.content.kind === 'mapping' ? { ...section, content: { kind: 'mapping', entries } } : section;
}

function addEntries(
  name: string,
  entries: Map<string, Located> | undefined,
  later: Located,
  report: (problem: Problem) => void,
): void {
  for (const [key, entry] of entriesOf(later)) {
    const same = entries?.get(key);
    if (same === undefined) entries?.set(key, entry);
    else reportTwice([name, key], same, entry, report);
  }
}

function reportTwice(
  path: readonly [string, ...string[]],
  earlier: Located,
  later: Located,
  report: (problem: Problem) => void,
): void {
  const place = later.keyPlace ?? later.place;
  report({ ...place, path: renderPath(path), fact: definedTwice(path.at(-1) ?? '', earlier) });
}
