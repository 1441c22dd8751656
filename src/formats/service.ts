import { inexpressiblePart, noControlCharacter, noOuterBlank, type Rule } from './inexpressible-part.ts';
import type { Format, Login, Told } from './login.ts';

/**
 * The longest line in bytes, without its end. libpq takes up to 1022 bytes with it; older versions
 * take up to 254.
 */
const LONGEST_LINE = 253;
const LONGEST_KEY = 'sslrootcert='.length;

const fitsLine: Rule = (value) =>
  Buffer.byteLength(value) > LONGEST_LINE - LONGEST_KEY ? 'too-long' : undefined;

/**
 * One section of a connection service file, which libpq reads at every new connection. A value is
 * all that follows the first `=`, without blanks at its end; nothing is quoted.
 * https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export const service: Format = {
  refuse({ username, password, host, database, sslrootcert }) {
    const parts = { username, password, host, database, sslrootcert };
    return inexpressiblePart(parts, [noControlCharacter, noOuterBlank, fitsLine]);
  },
  write(login) {
    const lines = settingsOf(login).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}\n`],
    );
    return `[${login.service}]\n${lines.join('')}`;
  },
  read(text) {
    const [section] = text.split(/^\s*\[.*$/m).slice(1);
    const settings = new Map(
      (section ?? '').split('\n').flatMap((line): [string, string][] => {
        const [, key, value] = /^\s*([^#=\s][^=]*)=(.*?)\s*$/.exec(line) ?? [];
        return key === undefined || value === undefined ? [] : [[key, value]];
      }),
    );
    return toldBy(settings.get('user'), settings.get('password'));
  },
};

function settingsOf(login: Login): readonly (readonly [string, string | number | undefined])[] {
  const { host, hostaddr, port, database, username, password, sslmode, sslrootcert } = login;
  return [
    ['host', host],
    ['hostaddr', hostaddr],
    ['port', port],
    ['dbname', database],
    ['user', username],
    ['password', password],
    ['sslmode', sslmode],
    ['sslrootcert', sslrootcert],
  ];
}

function toldBy(username: string | undefined, password: string | undefined): Told | undefined {
  return username && password ? { username, password } : undefined;
}
