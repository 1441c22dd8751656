import type * as z from 'zod';
import type { Path, Problem } from '../config-error.ts';
import { entriesOf, find, isBroken, type Located, plain, problemAt, quote } from '../yaml/located.ts';
import { type ConnectionEntry, connectionSchema, type StoreEntry, storeSchema } from './config-schema.ts';
import { type PolicyEntry, policySchema } from './policy-schema.ts';

/**
 * What of a configuration has the right shape, with what checks need to report on it. Of an entry with a slip in
 * one place the others are still there, so that every problem is reported at once. Names are there in any case.
 */
export interface Draft {
  readonly tree: Located;
  /** What the URL of the state database stands for; nothing where it is left out. */
  readonly state: Partial<ConnectionEntry>;
  readonly connections: ReadonlyMap<string, Partial<ConnectionEntry>>;
  readonly stores: ReadonlyMap<string, StoreEntry | undefined>;
  readonly policies: ReadonlyMap<string, Partial<PolicyEntry>>;
  /** Reports what is wrong with the entry at a path. */
  readonly report: (path: Path, message: string) => void;
  readonly warn: (path: Path, message: string) => void;
  /** The value at a path as messages may show it. */
  readonly quote: (path: Path) => string;
}

export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Takes from a configuration what has the right shape; `checkShape` says what has not. */
export function draftOf(tree: Located, { problems, warnings }: Findings): Draft {
  const state = find(tree, ['state', 'database']);
  const section = (name: string) => [...entriesOf(find(tree, [name]))];
  return {
    tree,
    state: state?.content.kind === 'mapping' ? partOf(connectionSchema, state) : {},
    connections: new Map(
      section('connections').map(([name, entry]) => [name, partOf(connectionSchema, entry)]),
    ),
    stores: new Map(section('stores').map(([name, entry]) => [name, wholeOf(storeSchema, entry)])),
    policies: new Map(section('policies').map(([name, entry]) => [name, partOf(policySchema, entry)])),
    report: (path, message) => problems.push(problemAt(tree, path, message)),
    warn: (path, message) => warnings.push(problemAt(tree, path, message)),
    quote: (path) => quote(tree, path),
  };
}

function wholeOf<Schema extends z.ZodType>(schema: Schema, entry: Located): z.output<Schema> | undefined {
  return isBroken(entry) ? undefined : schema.safeParse(plain(entry)).data;
}

function partOf<Schema extends z.ZodObject>(schema: Schema, entry: Located): Partial<z.output<Schema>> {
  const entries = entriesOf(entry);
  const fields = Object.entries(schema.shape).flatMap(([key, field]) => {
    const value = entries.get(key);
    if (value !== undefined && isBroken(value)) return [];
    const parsed = field.safeParse(value === undefined ? undefined : plain(value));
    return parsed.success && parsed.data !== undefined ? [[key, parsed.data] as const] : [];
  });
  return Object.fromEntries(fields) as Partial<z.output<Schema>>;
}
