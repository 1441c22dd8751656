import { escapeIdentifier, escapeLiteral } from 'pg';
import { isVisible, replaceInvisible } from '../visible.ts';

// The only place that quotes identifiers and literals that cannot be bind parameters (ALTER ROLE
// takes none). Invisible characters become escapes, so that a statement can be printed and run as
// it is. https://www.postgresql.org/docs/current/sql-syntax-lexical.html

/** Quotes a name exactly as given: case, spaces and quotes are kept. */
export function quoteIdentifier(name: string): string {
  if (isVisible(name)) return escapeIdentifier(name);
  const escaped = replaceInvisible(name.replaceAll('\\', '\\\\').replaceAll('"', '""'), (codePoint) =>
    codePoint > 0xffff ? `\\+${hex(codePoint, 6)}` : `\\${hex(codePoint, 4)}`,
  );
  return `U&"${escaped}"`;
}

/** Quotes a string constant. */
export function quoteLiteral(text: string): string {
  if (isVisible(text)) return escapeLiteral(text);
  return `E'${escapeInvisible(text.replaceAll('\\', '\\\\').replaceAll("'", "''"))}'`;
}

/** The text between the quotes of an `E'…'`, with escapes for invisible characters. */
export function escapeInvisible(text: string): string {
  return replaceInvisible(text, (codePoint) =>
    codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`,
  );
}

function hex(codePoint: number, digits: number): string {
  return codePoint.toString(16).padStart(digits, '0');
}
