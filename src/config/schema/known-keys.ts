import * as z from 'zod';
import type { Path } from '../config-error.ts';

/** The keys that a schema knows in the mapping at a path, of a value that breaks it there. */
export function knownKeys(schema: z.core.$ZodType, value: unknown, path: Path): readonly string[] {
  const inner = withoutWrappers(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const { discriminator } = inner.def;
    const chosen = inner.options.find(
      (option) =>
        option instanceof z.ZodObject &&
        option.shape[discriminator]?.safeParse(at(value, discriminator)).success,
    );
    return chosen === undefined ? [] : knownKeys(chosen, value, path);
  }
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => knownKeys(option, value, path));
  const [part, ...rest] = path;
  if (inner instanceof z.ZodObject) {
    if (part === undefined) return Object.keys(inner.shape);
    const field = inner.shape[part];
    return field === undefined ? [] : knownKeys(field, at(value, part), rest);
  }
  if (inner instanceof z.ZodArray && part !== undefined) {
    return knownKeys(inner.element, at(value, part), rest);
  }
  return [];
}

function withoutWrappers(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodExactOptional || schema instanceof z.ZodPrefault) {
    return withoutWrappers(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return withoutWrappers(schema.in);
  return schema;
}

function at(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
