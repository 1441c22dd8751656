import * as z from 'zod';
import { configSchema } from './config-schema.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

// What restricts a value that an editor sees before it is filled in.
const RESTRICTIONS = ['pattern', 'enum', 'minimum', 'maximum', 'maxLength', 'type'];
const REFERENCE = { type: 'string', pattern: '\\$\\{' };

/** The JSON Schema of the configuration, for editors. Draft 7 is the one that they know best. */
export function jsonSchema(): JsonObject {
  const schema = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as unknown as JsonObject;
  return { title: 'Configuration of keyturn', ...(allowReferences(schema) as JsonObject) };
}

/** Lets `${…}` stand for every value that is restricted to more than text. */
function allowReferences(schema: Json, key = ''): Json {
  if (Array.isArray(schema)) return schema.map((part: Json) => allowReferences(part));
  if (typeof schema !== 'object' || schema === null) return schema;
  // Names of entries are no values.
  if (key === 'propertyNames' || key === 'default') return schema;
  const entries = Object.entries(schema);
  if (!isRestrictedScalar(schema as JsonObject)) {
    return Object.fromEntries(entries.map(([name, part]) => [name, allowReferences(part, name)]));
  }
  const isRestriction = ([name]: readonly [string, Json]) => RESTRICTIONS.includes(name);
  const restricted = Object.fromEntries(entries.filter(isRestriction));
  const others = Object.fromEntries(entries.filter((entry) => !isRestriction(entry)));
  return { ...others, anyOf: [restricted, REFERENCE] };
}

function isRestrictedScalar({ type, pattern, enum: values }: JsonObject): boolean {
  return type === 'integer' || type === 'boolean' || pattern !== undefined || values !== undefined;
}
