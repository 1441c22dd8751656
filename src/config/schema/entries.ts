import type * as z from 'zod';
import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import { isExpanded } from '../urls/expand-urls.ts';
import { entriesOf, find } from '../yaml/located.ts';
import { configSchema } from './config-schema.ts';
import { type ConnectionEntry, connectionSchema } from './connection-schema.ts';
import { parseFields, parseValue, reportUnknownKeys } from './parse-value.ts';
import { type PolicyEntry, policySchema } from './policy-schema.ts';
import { parseQueue, type QueueEntry } from './queue-entry.ts';
import { type SinkEntry, sinkSchema } from './sink-schema.ts';
import { type StoreEntry, storeSchema } from './store-schema.ts';

/**
 * The values of a configuration, as the schema makes them. Where one value of an entry is invalid,
 * the others are still there, so that every problem is reported at once.
 */
export interface Entries {
  /** What the URL of the state database stands for; nothing where it is left out. */
  readonly state: Partial<ConnectionEntry>;
  readonly queue: QueueEntry;
  readonly history: { readonly keep?: number | null };
  readonly sinks: ReadonlyMap<string, SinkEntry | undefined>;
  readonly connections: ReadonlyMap<string, Partial<ConnectionEntry>>;
  readonly stores: ReadonlyMap<string, StoreEntry | undefined>;
  readonly policies: ReadonlyMap<string, Partial<PolicyEntry>>;
}

/** Parses each value once, and reports all that breaks the schema. */
export function parseEntries(review: Review): Entries {
  const { state, history, connections, stores, policies } = configSchema.shape;
  const entries = {
    state: parseState(review, state.unwrap()),
    queue: parseQueue(review),
    history: parseFields(review, history.unwrap(), ['history']),
    sinks: parseSinks(review),
    connections: parseSection(review, ['connections'], connections, (path) =>
      parseFields(review, connectionSchema, path),
    ),
    stores: parseSection(review, ['stores'], stores, (path) => parseValue(review, storeSchema, path)),
    policies: parseSection(review, ['policies'], policies, (path) => parseFields(review, policySchema, path)),
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

function parseSinks(review: Review): Entries['sinks'] {
  const events = configSchema.shape.events.unwrap();
  const [section, path] = [find(review.tree, ['events']), ['events', 'sinks']];
  if (section === undefined) return new Map();
  if (section.content.kind !== 'mapping') parseValue(review, events, ['events']);
  reportUnknownKeys(review, events, ['events']);
  if (find(review.tree, path) === undefined) return new Map();
  return parseSection(review, path, events.shape.sinks.unwrap(), (at) => parseValue(review, sinkSchema, at));
}

function parseSection<Entry>(
  review: Review,
  section: Path,
  schema: z.ZodRecord<z.ZodString>,
  parse: (path: Path) => Entry,
): ReadonlyMap<string, Entry> {
  const located = find(review.tree, section);
  if (located?.content.kind !== 'mapping') parseValue(review, schema, section);
  const names = [...entriesOf(located).keys()];
  return new Map(
    names.map((key) => {
      const path = [...section, key];
      if (!schema.keyType.safeParse(key).success) {
        review.reportKey(path, fact('config-name-invalid', { name: key }));
      }
      return [key, parse(path)];
    }),
  );
}
