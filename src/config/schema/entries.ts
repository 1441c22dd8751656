import * as z from 'zod';
import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import { isExpanded } from '../urls/expand-urls.ts';
import { entriesOf, find, isBroken, type Located, plain } from '../yaml/located.ts';
import { configSchema, type QueueEntry, type StoreEntry, storeSchema } from './config-schema.ts';
import { type ConnectionEntry, connectionSchema } from './connection-schema.ts';
import { type PolicyEntry, policySchema } from './policy-schema.ts';
import { reportIssue, reportUnknownKey } from './report-issue.ts';

/**
 * The values of a configuration, as the schema makes them. Where one value of an entry is invalid,
 * the others are still there, so that every problem is reported at once.
 */
export interface Entries {
  /** What the URL of the state database stands for; nothing where it is left out. */
  readonly state: Partial<ConnectionEntry>;
  readonly queue: QueueEntry;
  readonly connections: ReadonlyMap<string, Partial<ConnectionEntry>>;
  readonly stores: ReadonlyMap<string, StoreEntry | undefined>;
  readonly policies: ReadonlyMap<string, Partial<PolicyEntry>>;
}

/** Parses each value once, and reports all that breaks the schema. */
export function parseEntries(review: Review): Entries {
  const { state, queue, connections, stores, policies } = configSchema.shape;
  const entries = {
    state: parseState(review, state.unwrap()),
    queue: parseFields(review, queue.unwrap(), ['queue']),
    connections: parseSection(review, 'connections', connections, (path) =>
      parseFields(review, connectionSchema, path),
    ),
    stores: parseSection(review, 'stores', stores, (path) => parseValue(review, storeSchema, path)),
    policies: parseSection(review, 'policies', policies, (path) => parseFields(review, policySchema, path)),
  };
  reportUnknownKeys(review, configSchema, []);
  return entries;
}

type StateSchema = ReturnType<typeof configSchema.shape.state.unwrap>;

function parseState(review: Review, schema: StateSchema): Partial<ConnectionEntry> {
  const path = ['state', 'database'];
  const database = find(review.tree, path);
  if (database === undefined || !isExpanded(database)) {
    parseFields(review, schema, ['state']);
    return {};
  }
  reportUnknownKeys(review, schema, ['state']);
  return parseFields(review, connectionSchema, path);
}

function parseSection<Entry>(
  review: Review,
  name: string,
  schema: z.ZodRecord<z.ZodString>,
  parse: (path: Path) => Entry,
): ReadonlyMap<string, Entry> {
  const section = find(review.tree, [name]);
  if (section?.content.kind !== 'mapping') parseValue(review, schema, [name]);
  const names = [...entriesOf(section).keys()];
  return new Map(
    names.map((key) => {
      const path = [name, key];
      if (!schema.keyType.safeParse(key).success) {
        review.reportKey(path, fact('config-name-invalid', { name: key }));
      }
      return [key, parse(path)];
    }),
  );
}

/** What of a mapping is valid. A mapping that is left out has its defaults. */
function parseFields<Schema extends z.ZodObject>(
  review: Review,
  schema: Schema,
  path: Path,
): Partial<z.output<Schema>> {
  const located = find(review.tree, path);
  if (located !== undefined && located.content.kind !== 'mapping') {
    parseValue(review, schema, path);
    return {};
  }
  const fields = Object.entries(schema.shape).flatMap(([key, field]) => {
    const value = parseValue(review, field as z.ZodType, [...path, key]);
    return value === undefined ? [] : [[key, value] as const];
  });
  reportUnknownKeys(review, schema, path);
  // The fields are those of the schema, as it makes them.
  return Object.fromEntries(fields) as Partial<z.output<Schema>>;
}

/** Undefined for a value that is left out or not valid. */
function parseValue<Schema extends z.ZodType>(
  review: Review,
  schema: Schema,
  path: Path,
): z.output<Schema> | undefined {
  const located = find(review.tree, path);
  if (located === undefined && schema instanceof z.ZodExactOptional) return undefined;
  const value = located === undefined ? undefined : plain(located);
  const { data, error } = schema.safeParse(value);
  for (const issue of error?.issues ?? []) reportIssue(review, { issue, schema, value, path });
  return isUsable(located) ? data : undefined;
}

/** A value of which something could not be filled in may look valid all the same. */
function isUsable(located: Located | undefined): boolean {
  return located === undefined || !isBroken(located);
}

function reportUnknownKeys(review: Review, schema: z.ZodObject, path: Path): void {
  const known = Object.keys(schema.shape);
  for (const key of entriesOf(find(review.tree, path)).keys()) {
    if (!known.includes(key)) reportUnknownKey(review, [...path, key], known);
  }
}
