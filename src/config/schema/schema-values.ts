import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { DURATION, parseDuration } from '../values/duration.ts';

// The error of each schema is the code of its rule, which src/messages/ completes to "must be …".
// report-issue.ts finds out what is wrong: it knows the value as it was written.

/** Text that is not empty. */
export function text(error: ConfigRule) {
  return z.string({ error }).min(1, { error });
}

export function textLike(fits: RegExp, error: ConfigRule) {
  return z.string({ error }).regex(fits, { error });
}

/** Variables are always text, so text that is a number or a boolean counts as one. */
export function wholeNumber(minimum: number, maximum: number, error: ConfigRule) {
  const number = z.int({ error }).min(minimum, { error }).max(maximum, { error });
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
    number,
  );
}

export function trueOrFalse() {
  const error: ConfigRule = 'boolean';
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error }),
  );
}

/** The values themselves are in the issue. */
export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  const error: ConfigRule = 'one-of';
  return z.enum(values, { error });
}

/** A mapping that has no other keys. */
export function object<Shape extends z.ZodRawShape>(error: ConfigRule, shape: Shape) {
  return z.strictObject(shape, { error });
}

/** A mapping of slugs to entries. */
export function named<Entry extends z.ZodType>(error: ConfigRule, entry: Entry) {
  return z.record(textLike(/^[a-z0-9][a-z0-9-]{0,62}$/, 'entry-name'), entry, { error });
}

/** A name, or a gid, which YAML reads as a number. */
export function groupName() {
  const error: ConfigRule = 'group';
  const name = textLike(/^(?!-)[^\s:,/]{1,255}$/, error);
  return z.union([name, z.int({ error }).min(0, { error })], { error }).transform(String);
}

const FILE_MODES = ['0600', '0640', '0400', '0440'] as const;

/**
 * A mode of files, as chmod has it. YAML reads 0640 as the number 640, and 0o640 as 416; none of
 * these is another mode of the list.
 */
export function fileMode() {
  const error: ConfigRule = 'file-mode';
  const digitsOf = (value: number) => (/^[46]\d0$/.test(String(value)) ? String(value) : value.toString(8));
  return z
    .preprocess(
      (value) => {
        const digits = typeof value === 'number' ? digitsOf(value) : value;
        return typeof digits === 'string' ? digits.padStart(4, '0') : digits;
      },
      z.enum(FILE_MODES, { error }),
    )
    .transform((mode) => Number.parseInt(mode, 8));
}

/** PostgreSQL truncates longer names: https://www.postgresql.org/docs/current/limits.html */
export function postgresName(error: ConfigRule) {
  return text(error)
    .max(63, { error })
    .refine((name) => Buffer.byteLength(name) <= 63 && !name.includes('\0'), { error });
}

/** PostgreSQL refuses these: https://www.postgresql.org/docs/current/sql-createrole.html */
export function roleName(error: ConfigRule) {
  return postgresName(error).refine((name) => !/^(pg_.*|public|none)$/s.test(name), { error });
}

/** Text to milliseconds. */
export function duration(orZero: boolean) {
  const written = orZero
    ? textLike(DURATION, 'duration')
    : textLike(/^[1-9]\d{0,5}[smhdw]$/, 'duration-above-0');
  return written.transform((text) => parseDuration(text) ?? 0);
}
