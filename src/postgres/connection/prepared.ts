import { createHash } from 'node:crypto';
import type { QueryConfig } from 'pg';

const names = new Map<string, string>();

/**
 * A statement that each session parses once and plans a few times, however often it is sent.
 * Parsing and planning takes longer than running, where a statement joins many catalogs. For texts
 * of which there are only a few; values go into parameters.
 * https://www.postgresql.org/docs/current/sql-prepare.html
 */
export function prepared(text: string, values: readonly unknown[] = []): QueryConfig {
  return { name: nameOf(text), text, values: [...values] };
}

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `keyturn_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  names.set(text, name);
  return name;
}
