import type * as z from 'zod';
import { type ConfigEntry, configSchema, connectionSchema, storeSchema } from '../schema/config-schema.ts';
import { policySchema } from '../schema/policy-schema.ts';
import { find, type Located, plain } from '../yaml/located.ts';

/** The configuration, if it has the right shape as a whole, and where it has not. */
export function checkShape(tree: Located): {
  readonly entry: ConfigEntry | undefined;
  readonly issues: readonly z.core.$ZodIssue[];
} {
  const { data, error } = configSchema.safeParse(plain(tree));
  const issues = error?.issues.flatMap((issue) => [issue, ...issuesUnderName(tree, issue)]);
  return { entry: data, issues: issues ?? [] };
}

/** Where what the URL of the state database stands for has not the shape of a connection. */
export function issuesOfState(tree: Located): readonly z.core.$ZodIssue[] {
  const path = ['state', 'database'];
  const database = find(tree, path);
  if (database?.content.kind !== 'mapping') return [];
  const { error } = connectionSchema.safeParse(plain(database));
  return (error?.issues ?? []).map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

/** zod does not look into an entry whose name is not valid. */
function issuesUnderName(tree: Located, issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  const [section, name] = issue.path.map(String);
  if (issue.code !== 'invalid_key' || section === undefined || name === undefined) return [];
  const entry = find(tree, [section, name]);
  const schema = NAMED[section];
  const error = entry === undefined ? undefined : schema?.safeParse(plain(entry)).error;
  return (error?.issues ?? []).map((inner) => ({ ...inner, path: [section, name, ...inner.path] }));
}

const NAMED: Readonly<Record<string, z.ZodType>> = {
  connections: connectionSchema,
  stores: storeSchema,
  policies: policySchema,
};
