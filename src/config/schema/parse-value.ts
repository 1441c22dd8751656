import * as z from 'zod';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import { entriesOf, find, isBroken, type Located, plain } from '../yaml/located.ts';
import { reportIssue, reportUnknownKey } from './report-issue.ts';

/** What of a mapping is valid. A mapping that is left out has its defaults. */
export function parseFields<Schema extends z.ZodObject>(
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
export function parseValue<Schema extends z.ZodType>(
  review: Review,
  schema: Schema,
  path: Path,
): z.output<Schema> | undefined {
  const located = find(review.tree, path);
  if (located === undefined && schema instanceof z.ZodExactOptional) return undefined;
  const value = located === undefined ? undefined : plain(located);
  const { data, error } = parsed(review, schema, value);
  const issues = (error?.issues ?? []).flatMap(issuesInside);
  for (const issue of issues) reportIssue(review, { issue, schema, value, path });
  return isUsable(located) ? data : undefined;
}

/** How many values of a schema are kept, and how long each may be, as JSON. */
const KEPT = 32;
const KEPT_LENGTH = 256;

/**
 * The policies of a fleet have mostly the same values. Each is parsed once, and all share the
 * result.
 */
function parsed<Schema extends z.ZodType>(
  { kept }: Review,
  schema: Schema,
  value: unknown,
): Pick<z.ZodSafeParseResult<z.output<Schema>>, 'data' | 'error'> {
  const known = kept.get(schema) ?? new Map<string, unknown>();
  kept.set(schema, known);
  const key = JSON.stringify(value) ?? '';
  // The parse is of this schema and value. That what is kept for it is its output, no type says.
  if (known.has(key)) return { data: known.get(key) as z.output<Schema> };
  const result = schema.safeParse(value);
  // JSON says null of numbers, too, that are none.
  const isKept = known.size < KEPT && key.length <= KEPT_LENGTH && !key.includes('null');
  if (result.success && isKept) known.set(key, result.data);
  return result;
}

/** What is wrong inside of the one form of a union that a value has; the issue itself otherwise. */
function issuesInside(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.filter((issues) =>
    issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  const [inside, ...others] = meant;
  if (inside === undefined || others.length > 0) return [issue];
  return inside.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

/** A value of which something could not be filled in may look valid all the same. */
function isUsable(located: Located | undefined): boolean {
  return located === undefined || !isBroken(located);
}

export function reportUnknownKeys(review: Review, schema: z.ZodObject, path: Path): void {
  const known = Object.keys(schema.shape);
  for (const key of entriesOf(find(review.tree, path)).keys()) {
    if (!known.includes(key)) reportUnknownKey(review, [...path, key], known);
  }
}
