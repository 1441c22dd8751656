import type { Field, Mapping } from '../config/policy.ts';
import { fault } from '../facts/fault.ts';
import type { Fields } from './secret-store.ts';

/**
 * What one secret holds of a mapping: one field as a whole, or fields under keys of a JSON object.
 */
export type SecretEntries = readonly { readonly field: Field; readonly key: string | undefined }[];

/**
 * The secrets of a mapping, each with what it holds. The password's comes first, so that it is
 * settled before anything that is derived from it.
 */
export function secretsOf(mapping: Mapping): Map<string, SecretEntries> {
  const secrets = new Map<string, { field: Field; key: string | undefined }[]>();
  if (mapping.password) secrets.set(mapping.password.secret, []);
  // Object.entries gives strings; the keys of a mapping are fields.
  for (const [field, { secret, key }] of Object.entries(mapping)) {
    const entries = secrets.get(secret) ?? [];
    entries.push({ field: field as Field, key });
    secrets.set(secret, entries);
  }
  return secrets;
}

/** Whether a secret holds a JSON object, which other people's keys may share. */
export function isJson(entries: SecretEntries): boolean {
  return entries.some(({ key }) => key !== undefined);
}

/** Throws `field-without-value` for a mapped field: nobody could log in with an empty one. */
export function requireValues(mapping: Mapping, fields: Fields): void {
  // As above, the keys are fields.
  for (const [field, { secret }] of Object.entries(mapping)) valueFor(secret, field as Field, fields);
}

/**
 * The new content of a secret. Keys of a JSON secret that the mapping does not name are kept as
 * they are.
 */
export function writeContent(
  secret: string,
  entries: SecretEntries,
  fields: Fields,
  current: string | undefined,
): string {
  const [first] = entries;
  if (first !== undefined && first.key === undefined) return String(valueFor(secret, first.field, fields));
  const object = current ? parseObject(secret, current) : {};
  for (const { field, key } of entries) if (key !== undefined) object[key] = valueFor(secret, field, fields);
  return JSON.stringify(object);
}

/**
 * The fields that a secret's content has. A JSON object that has none of the mapped keys has none.
 * An empty value counts as unset, as in a file that somebody made for keyturn to fill.
 */
export function readContent(secret: string, entries: SecretEntries, content: string): Fields {
  if (content === '') return {};
  if (!isJson(entries)) {
    const [entry] = entries;
    return entry ? { [entry.field]: content } : {};
  }
  const object = parseObject(secret, content);
  const found = entries.flatMap(({ field, key }) => {
    const value = key === undefined ? undefined : object[key];
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    return text === '' ? [] : [[field, text] as const];
  });
  return Object.fromEntries(found);
}

/** The keys of a JSON secret that the mapping does not name; none where it holds something else. */
export function otherKeys(secret: string, entries: SecretEntries, content: string): string[] {
  if (!isJson(entries) || content === '') return [];
  return Object.keys(parseObject(secret, content)).filter((key) => !entries.some((each) => each.key === key));
}

function valueFor(secret: string, field: Field, fields: Fields): string | number {
  const value = fields[field];
  // A number, as in the secrets that AWS makes for RDS.
  if (value && field !== 'port') return value;
  if (value && /^\d+$/.test(value)) return Number(value);
  throw fault('field-without-value', { secret, field });
}

function parseObject(secret: string, content: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // The parser's own message would quote the content.
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fault('secret-not-json', { secret });
  }
  // JSON.parse makes objects with string keys.
  return value as Record<string, unknown>;
}
