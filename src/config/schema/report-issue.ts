import type * as z from 'zod';
import type { Found } from '../../facts/config/config-entry-facts.ts';
import { STORE_TYPES } from '../../facts/config/config-policy-facts.ts';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import { nearestTimeZone } from '../values/time-zone.ts';
import { find, isBroken } from '../yaml/located.ts';
import { knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';

/** A value that breaks its schema. */
export interface Breach {
  readonly issue: z.core.$ZodIssue;
  readonly schema: z.ZodType;
  readonly value: unknown;
  /** Where the value stands; the path of the issue starts there. */
  readonly path: Path;
}

/** Reports a breach of the schema, unless what is there was reported already. */
export function reportIssue(review: Review, { issue, schema, value, path }: Breach): void {
  const inner = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const at = [...path, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, value, inner);
    for (const key of issue.keys) reportUnknownKey(review, [...at, key], known);
    return;
  }
  const found = find(review.tree, at);
  if (found === undefined || !isBroken(found)) review.report(at, factOf(review, at, issue));
}

/** An entry that no schema knows, at the place of its key. */
export function reportUnknownKey(review: Review, path: Path, known: readonly string[]): void {
  const key = String(path.at(-1));
  review.reportKey(path, fact('config-key-unknown', { key, ...suggested(key, known), known }));
}

/** The nearest known word, if one is near. */
export function suggested(word: string, known: readonly string[]): { readonly near?: string } {
  const near = nearest(word, known);
  return near === undefined ? {} : { near };
}

function factOf(review: Review, path: Path, issue: z.core.$ZodIssue): Fact {
  // The error of every schema is the code of its rule.
  const rule = issue.message as ConfigRule;
  const allowed =
    rule === 'one-of' && issue.code === 'invalid_value' ? { allowed: issue.values.map(String) } : {};
  const content = find(review.tree, path)?.content;
  if (content === undefined) return fact('config-entry-missing', { rule, ...allowed });
  const near = content.kind === 'scalar' ? nearOf(rule, content.value) : {};
  const found = foundAt(review, path, issue);
  return fact('config-entry-invalid', { found, rule, ...allowed, ...near });
}

function nearOf(rule: ConfigRule, value: unknown): { readonly near?: string } {
  if (typeof value !== 'string') return {};
  if (rule === 'store-type') return suggested(value, STORE_TYPES);
  const near = rule === 'time-zone' ? nearestTimeZone(value) : undefined;
  return near === undefined ? {} : { near };
}

function foundAt(review: Review, path: Path, issue: z.core.$ZodIssue): Found {
  const content = find(review.tree, path)?.content;
  if (content?.kind === 'mapping') return { kind: 'mapping' };
  if (content?.kind === 'list') {
    const isLength = issue.code === 'too_small' || issue.code === 'too_big';
    return isLength ? { kind: 'entries', count: content.items.length } : { kind: 'list' };
  }
  const value = content?.value;
  if (value === null || value === '') return { kind: 'empty' };
  // YAML reads 0123 as a number and no as text; what people meant by such a password is unknown.
  const isText = issue.code === 'invalid_type' && issue.expected === 'string';
  if (isText) return { kind: 'not-text', type: typeof value };
  return { kind: 'value', value: review.shown(path) };
}
