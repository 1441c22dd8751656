import { isVisible } from '../visible.ts';
import { escapeInvisible, quoteIdentifier, quoteLiteral } from './identifier.ts';

/**
 * A comment, a quoted name, an `E'…'` or a plain constant. The text in dollar quotes is SQL too.
 */
const TOKEN = /--[^\n]*|"(?:[^"]|"")*"|E'(?:\\[\s\S]|''|[^'\\])*'|'(?:[^']|'')*'/g;

/**
 * The same SQL, with every quoted name and constant on one line and visible, whoever quoted it.
 * PostgreSQL's `quote_ident` and `format` keep line breaks in names, and the text after one would
 * look like a statement.
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
