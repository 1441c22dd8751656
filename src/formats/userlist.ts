import { inexpressiblePart, noControlCharacter, type Rule } from './inexpressible-part.ts';
import type { Format } from './login.ts';

const VERIFIER = /^(SCRAM-SHA-256\$|md5[0-9a-f]{32}$)/i;

const noVerifier: Rule = (password) => (VERIFIER.test(password) ? 'looks-like-verifier' : undefined);

/**
 * A line of PgBouncer's auth_file: the username and the verifier that PostgreSQL has, or the
 * password itself. A quote is doubled. The line after it lets the login before in, as long as
 * PostgreSQL does. https://www.pgbouncer.org/config.html#authentication-file-format
 */
export const userlist: Format = {
  refuse({ username, password, plain }) {
    const parts = plain ? { username, password } : { username };
    return (
      inexpressiblePart(parts, [noControlCharacter]) ??
      (plain ? inexpressiblePart({ password }, [noVerifier]) : undefined)
    );
  },
  write({ username, password, verifier, plain, before }) {
    const line = `${quoted(username)} ${quoted(plain ? password : verifier)}\n`;
    return before === undefined ? line : `${line}${before}\n`;
  },
  read(text) {
    const [, username, secret] = /^"((?:[^"]|"")+)"\s+"((?:[^"]|"")+)"/.exec(text) ?? [];
    if (username === undefined || secret === undefined) return undefined;
    const told = unquoted(secret);
    return VERIFIER.test(told)
      ? { username: unquoted(username), verifier: told }
      : { username: unquoted(username), password: told };
  },
};

/**
 * The line of a userlist's login, for the userlist after it; undefined if that is of the same
 * login.
 */
export function userlistLine(text: string, next: string): string | undefined {
  const [line = ''] = text.split('\n');
  const told = userlist.read(line);
  return told && told.username !== next ? line : undefined;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function unquoted(text: string): string {
  return text.replaceAll('""', '"');
}
