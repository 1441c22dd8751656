import type { Inexpressible } from '../facts/inexpressible.ts';
import { inexpressiblePart, noControlCharacter, type Rule } from './inexpressible-part.ts';
import type { Format, Login } from './login.ts';
import { url } from './url.ts';

/** Readers disagree about what a backslash does, in either quote. */
const noBackslash: Rule = (value) => (value.includes('\\') ? 'backslash' : undefined);

/** A single quote needs double quotes around it, in which these have a meaning. */
const oneQuote: Rule = (value) => (/'/.test(value) && /["$`]/.test(value) ? 'both-quotes' : undefined);

/**
 * Lines NAME=value that a shell, dotenv libraries and Docker Compose read alike: a value is bare
 * where it can be, else within single quotes, which all take literally, or within double quotes.
 * The names are libpq's: https://www.postgresql.org/docs/current/libpq-envars.html
 */
export const env: Format = {
  refuse(login): Inexpressible | undefined {
    const { username, password, host, database, sslrootcert } = login;
    const parts = { username, password, host, database, sslrootcert, url: url.write(login) };
    return inexpressiblePart(parts, [noControlCharacter, noBackslash, oneQuote]);
  },
  write(login) {
    return variablesOf(login)
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}\n`]))
      .join('');
  },
  read(text) {
    const username = valueIn(text, 'PGUSER');
    const password = valueIn(text, 'PGPASSWORD');
    return username && password ? { username, password } : undefined;
  },
};

function variablesOf(login: Login): readonly (readonly [string, string | undefined])[] {
  const { host, hostaddr, port, database, username, password, sslmode, sslrootcert } = login;
  return [
    ['PGHOST', host],
    ['PGHOSTADDR', hostaddr],
    ['PGPORT', String(port)],
    ['PGDATABASE', database],
    ['PGUSER', username],
    ['PGPASSWORD', password],
    ['PGSSLMODE', sslmode],
    ['PGSSLROOTCERT', sslrootcert],
    ['DATABASE_URL', url.write(login)],
  ];
}

function quoted(value: string): string {
  if (/^[\w%+,./:@-]+$/.test(value)) return value;
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

function valueIn(text: string, name: string): string | undefined {
  const assignment = new RegExp(`^\\s*(?:export\\s+)?${name}=(?:'([^']*)'|"([^"\\\\]*)"|([^'"\\s#]+))\\s*$`);
  for (const line of text.split('\n')) {
    const [, single, double, bare] = assignment.exec(line) ?? [];
    const value = single ?? double ?? bare;
    if (value !== undefined) return value;
  }
  return undefined;
}
