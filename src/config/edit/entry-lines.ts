import type { Destination } from '../policy.ts';

/** The longest line that is written in brackets, in characters. */
const WIDTH = 100;

/** The lines of a destination in a list. */
export function entryLines(
  { store, create, secrets }: Destination,
  { indent, gap }: { readonly indent: string; readonly gap: string },
): string[] {
  const inner = `${indent} ${gap}`;
  const named = Object.entries(secrets).map(
    ([field, { secret, key }]) => `${field}: ${quoted(key === undefined ? secret : `${secret}#${key}`)}`,
  );
  const flow = `${inner}secrets: { ${named.join(', ')} }`;
  return [
    `${indent}-${gap}store: ${quoted(store)}`,
    ...(create ? [`${inner}create: true`] : []),
    ...(flow.length <= WIDTH ? [flow] : [`${inner}secrets:`, ...named.map((line) => `${inner}  ${line}`)]),
  ];
}

/** The same in one line, for somebody to add by hand. */
export function entryLine({ store, create, secrets }: Destination): string {
  const [, ...lines] = entryLines({ store, create, secrets }, { indent: '', gap: ' ' });
  const parts = lines.map((line) => line.trim());
  const [first = '', ...named] = parts.filter((part) => part !== 'create: true');
  const written = named.length > 0 ? `secrets: { ${named.join(', ')} }` : first;
  return `- { store: ${quoted(store)}, ${create ? 'create: true, ' : ''}${written} }`;
}

/** Bare where YAML takes it for text, else in double quotes, as JSON has them. */
function quoted(text: string): string {
  const isBare = /^[A-Za-z_/.][\w./+=@-]*(#[\w./+=@-]+)?$/.test(text);
  return isBare && !RESERVED.test(text) ? text : JSON.stringify(text);
}

/** What YAML, in any of its versions, takes for something else than text. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|[.](inf|nan)|[.\d_]+)$/i;
