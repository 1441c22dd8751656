import { inexpressiblePart, noControlCharacter, type Rule } from './inexpressible-part.ts';
import type { Format } from './login.ts';

/** libpq takes the folder of its own default socket for `localhost`, and each build has another. */
const noSocket: Rule = (host) => (host.startsWith('/') || host.startsWith('@') ? 'socket' : undefined);

/**
 * One line of a password file: host:port:database:username:password, with a backslash before each
 * `:` and `\`. https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export const pgpass: Format = {
  refuse({ username, password, host, database }) {
    return (
      inexpressiblePart({ username, password, host, database }, [noControlCharacter]) ??
      inexpressiblePart({ host }, [noSocket])
    );
  },
  write({ host, port, database, username, password }) {
    return `${[host, String(port), database, username, password].map(escaped).join(':')}\n`;
  },
  read(text) {
    const line = text.split('\n').find((each) => each !== '' && !each.startsWith('#')) ?? '';
    const fields = [...line.matchAll(/(?:^|:)((?:\\.|[^\\:])*)/g)].map(([, field]) =>
      (field ?? '').replace(/\\(.)/g, '$1'),
    );
    const [, , , username, password] = fields;
    return username && password && fields.length === 5 ? { username, password } : undefined;
  },
};

/** A lone `*` stands for every value, unless it is escaped. */
function escaped(field: string): string {
  return field === '*' ? '\\*' : field.replace(/[\\:]/g, '\\$&');
}
