import { isVisible } from '../visible.ts';
import { escapeInvisible, quoteIdentifier, quoteLiteral } from './identifier.ts';

/** A comment, a quoted name, an `E'…'` or a plain constant. What stands in dollar quotes is SQL too. */
const TOKEN = /--[^\n]*|"(?:[^"]|"")*"|E'(?:\\[\s\S]|''|[^'\\])*'|'(?:[^']|'')*'/g;

/**
 * The same SQL, in which every quoted name and constant is on one line and can be seen, whoever quoted it. PostgreSQL's own
 * `quote_ident` and `format` leave line breaks in names as they are, and what follows one would look like a statement.
 */
export function oneLineNames(sql: string): string {
  return sql.replace(TOKEN, (token) => {
    if (token.startsWith('--') || isVisible(token)) return token;
    const inner = token.slice(1, -1);
    if (token.startsWith('"')) return quoteIdentifier(inner.replaceAll('""', '"'));
    if (token.startsWith("'")) return quoteLiteral(inner.replaceAll("''", "'"));
    return escapeInvisible(token);
  });
}
