import * as z from 'zod';
import { DURATION, parseDuration } from '../values/duration.ts';

// Every message here completes the sentence "must be …". What is wrong is said by describe-issue.ts, which knows
// the value as it was written.

/** Text that is not empty. */
export function text(mustBe: string) {
  return z.string({ error: mustBe }).min(1, { error: mustBe });
}

export function textLike(fits: RegExp, mustBe: string) {
  return z.string({ error: mustBe }).regex(fits, { error: mustBe });
}

/** Variables are always text, so text that reads as a number or a boolean is taken as one. */
export function wholeNumber(minimum: number, maximum: number) {
  const error = `a whole number from ${minimum} to ${maximum}`;
  const number = z.int({ error }).min(minimum, { error }).max(maximum, { error });
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
    number,
  );
}

export function trueOrFalse() {
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error: 'true or false' }),
  );
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: values.join(', ').replace(/, ([^,]*)$/, ' or $1') });
}

/** A mapping that has no other keys. */
export function object<Shape extends z.ZodRawShape>(mustBe: string, shape: Shape) {
  // For unknown keys the message lists the known ones.
  const known = Object.keys(shape).join(' ');
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? known : mustBe),
  });
}

/** A mapping of slugs to entries. */
export function named<Entry extends z.ZodType>(what: string, entry: Entry) {
  const rule = '1 to 63 of a-z, 0-9 and -, the first not -';
  return z.record(textLike(/^[a-z0-9][a-z0-9-]{0,62}$/, rule), entry, {
    error: ({ code }) => (code === 'invalid_key' ? rule : `a mapping of names to ${what}`),
  });
}

/** PostgreSQL cuts longer names off without a word: https://www.postgresql.org/docs/current/limits.html */
export function postgresName(mustBe: string) {
  return text(mustBe)
    .max(63, { error: mustBe })
    .refine((name) => Buffer.byteLength(name) <= 63 && !name.includes('\0'), { error: mustBe });
}

/** PostgreSQL refuses these: https://www.postgresql.org/docs/current/sql-createrole.html */
export function roleName(what: string) {
  const mustBe = `${what}: 1 to 63 bytes, and not pg_…, public or none, which PostgreSQL keeps for itself`;
  return postgresName(mustBe).refine((name) => !/^(pg_.*|public|none)$/s.test(name), { error: mustBe });
}

/** Text to milliseconds. */
export function duration(orZero: boolean) {
  const [fits, mustBe] = orZero
    ? [DURATION, 'a whole number and s, m, h, d or w, such as 90s or 5m']
    : [/^[1-9]\d{0,5}[smhdw]$/, 'a whole number above 0 and s, m, h, d or w, such as 90s or 5m'];
  return textLike(fits, mustBe).transform((written) => parseDuration(written) ?? 0);
}
