import { escapeIdentifier, escapeLiteral } from 'pg';

// Identifiers and literals that cannot be bind parameters (ALTER ROLE takes none) are quoted here and
// nowhere else. https://www.postgresql.org/docs/current/sql-syntax-lexical.html

/** Quotes a name exactly as given: case, spaces and quotes are kept. */
export function quoteIdentifier(name: string): string {
  return escapeIdentifier(name);
}

/** Quotes a string constant. */
export function quoteLiteral(text: string): string {
  return escapeLiteral(text);
}
