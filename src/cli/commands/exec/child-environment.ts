import { isDeepStrictEqual } from 'node:util';
import { suggested } from '../../../config/schema/report-issue.ts';
import type { Environment } from '../../../environment.ts';
import { fault } from '../../../facts/fault.ts';

const PLACEHOLDERS = ['username', 'password', 'host', 'port', 'database', 'url', 'sslmode'] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What is known of the published login. */
export type Values = Readonly<Partial<Record<Placeholder, string>>>;

/** A variable of the program: made from a template, or passed on from keyturn's own environment. */
export interface Variable {
  readonly name: string;
  /** Undefined: passed on. */
  readonly template: string | undefined;
  /** Left out where a value that it needs is not known. */
  readonly optional?: true;
}

/** As libpq reads them: https://www.postgresql.org/docs/current/libpq-envars.html */
const DEFAULT: readonly Variable[] = [
  { name: 'PGUSER', template: '{username}' },
  { name: 'PGPASSWORD', template: '{password}' },
  { name: 'PGHOST', template: '{host}', optional: true },
  { name: 'PGPORT', template: '{port}', optional: true },
  { name: 'PGDATABASE', template: '{database}', optional: true },
  { name: 'PGSSLMODE', template: '{sslmode}', optional: true },
];

/** Secrets of keyturn itself are in variables of these names. */
const OWN = /^KEYTURN_/i;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const WORD = /\{([A-Za-z_]+)\}/g;

/** Of `--env`. Throws a fault where it is no variable, or has a placeholder that there is not. */
export function parseVariable(given: string): Variable {
  const equals = given.indexOf('=');
  const name = equals === -1 ? given : given.slice(0, equals);
  if (!NAME.test(name)) throw fault('exec-env-malformed', { name });
  if (equals === -1) return { name, template: undefined };
  const template = given.slice(equals + 1);
  for (const [, placeholder = ''] of template.matchAll(WORD)) {
    if (isPlaceholder(placeholder)) continue;
    const known = [...PLACEHOLDERS];
    throw fault('exec-placeholder-unknown', { name, placeholder, known, ...suggested(placeholder, known) });
  }
  return { name, template };
}

/**
 * The whole environment of the program: keyturn's own without the variables that begin with
 * KEYTURN_, and those that are asked for. Throws `exec-value-missing` or `exec-value-with-nul`.
 */
export function childEnvironment(
  own: Environment,
  values: Values,
  asked: readonly Variable[] = [],
): Readonly<Record<string, string>> {
  const isMade = asked.some(({ template }) => template !== undefined);
  const variables = isMade ? asked : [...DEFAULT, ...asked];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !OWN.test(name)) environment[name] = value;
  }
  for (const variable of variables) {
    const value = render(variable, own, values);
    // Node.js would refuse it with a message that has the value in it.
    if (value?.includes('\0')) throw fault('exec-value-with-nul', { name: variable.name });
    if (value !== undefined) environment[variable.name] = value;
  }
  return environment;
}

function render(
  { name, template, optional }: Variable,
  own: Environment,
  values: Values,
): string | undefined {
  if (template === undefined) return own[name];
  const missing = [...template.matchAll(WORD)].find(([, word = '']) => valueFor(values, word) === undefined);
  if (missing === undefined) return template.replace(WORD, (_, word: string) => valueFor(values, word) ?? '');
  if (optional) return undefined;
  throw fault('exec-value-missing', { name, placeholder: missing[1] ?? '' });
}

function valueFor(values: Values, word: string): string | undefined {
  return isPlaceholder(word) ? values[word] : undefined;
}

function isPlaceholder(word: string): word is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(word);
}

/** Whether a program that has one of these environments has to hear of the other. */
export function isSameEnvironment(one: object | undefined, other: object): boolean {
  return isDeepStrictEqual(one, other);
}
