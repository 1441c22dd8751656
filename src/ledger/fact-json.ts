import { isDeepStrictEqual } from 'node:util';
import { type Fact, fact } from '../facts/fact.ts';
import type { Remedy } from '../facts/remedy.ts';

/** jsonb has no NUL and no half of a surrogate pair; what a server says may contain them. */
const NOT_IN_JSONB = /\0|\p{Cs}/gu;

/** A fact as the ledger stores it; null where there is none. */
export function factJson(told: Fact | undefined): string | null {
  if (told === undefined) return null;
  return JSON.stringify(told, (_, value: unknown) =>
    typeof value === 'string' ? value.replace(NOT_IN_JSONB, '\ufffd') : value,
  );
}

/**
 * A fact that was read from the ledger. `text` is what an earlier release wrote instead. A newer
 * release, or somebody else, may have written a code or a shape that this release does not know:
 * such a fact is shown as it is.
 */
export function readFact(stored: unknown, text: string | null): Fact | null {
  if (stored === null || stored === undefined) return text === null ? null : fact('recorded', { text });
  if (!isRecord(stored) || typeof stored.code !== 'string' || !isRecord(stored.params)) {
    return fact('recorded', { text: JSON.stringify(stored) });
  }
  const { code, params, remedies } = stored;
  const known = Array.isArray(remedies) ? remedies.filter(isRemedy) : [];
  // The code may be none of ours; src/messages/ shows it then as data.
  return { code, params, ...(known.length > 0 && { remedies: known }) } as unknown as Fact;
}

/**
 * Whether two facts say the same, remedies aside. One of them may have been read from the ledger.
 */
export function isSameFact(one: Fact | null, other: Fact | null): boolean {
  return isDeepStrictEqual(essence(one), essence(other));
}

function essence(told: Fact | null): unknown {
  if (told === null) return null;
  const { code, params } = readFact(JSON.parse(factJson(told) ?? 'null'), null) ?? told;
  return { code, params };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRemedy(value: unknown): value is Remedy {
  if (!isRecord(value)) return false;
  const { kind, statements, command, path } = value;
  if (kind === 'sql')
    return Array.isArray(statements) && statements.every((each) => typeof each === 'string');
  return (
    (kind === 'command' && typeof command === 'string') || (kind === 'config' && typeof path === 'string')
  );
}
