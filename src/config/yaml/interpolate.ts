import { type Fact, fact } from '../../facts/fact.ts';
import type { ReadText } from './read-text.ts';

/** What `${…}` may refer to. */
export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly read: ReadText;
}

/** `written` is kept, so that messages name a variable and never show its value. */
export interface Interpolated {
  readonly value: string;
  readonly written: string;
  /** What could not be filled in; the value is then of no use. */
  readonly faults: readonly Fact[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Fills in `${NAME}`, `${NAME:-default}` (for a variable that is unset or empty) and `${file:PATH}`
 * (the content without its last line break). `$${` stands for `${`. Undefined if the text has none.
 */
export function interpolate(written: string, sources: ReferenceSources): Interpolated | undefined {
  if (!written.includes('${')) return undefined;
  const faults: Fact[] = [];
  const value = written.replace(REFERENCE, (_, reference: string | undefined, end: string) => {
    if (reference === undefined) return '${';
    const filled = fillIn(reference, end !== '', sources);
    if (typeof filled === 'string') return filled;
    faults.push(filled.fault);
    return '';
  });
  return { value, written, faults };
}

function fillIn(
  reference: string,
  ended: boolean,
  { env, read }: ReferenceSources,
): string | { readonly fault: Fact } {
  // The first } ends a reference, so a reference cannot contain another one.
  if (!ended || reference.includes('${')) {
    return { fault: fact('reference-malformed', {}) };
  }
  if (reference.startsWith('file:')) {
    const path = reference.slice('file:'.length);
    const file = read(path);
    if ('text' in file) return file.text.replace(/\r?\n$/, '');
    return { fault: fact('reference-unreadable', { path, ...file.fault }) };
  }
  const [, name, fallback] = VARIABLE.exec(reference) ?? [];
  if (name === undefined) return { fault: fact('reference-malformed', {}) };
  const value = env[name];
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value !== undefined) return value;
  return { fault: fact('variable-unset', { name }) };
}
