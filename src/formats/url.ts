import type { Format } from './login.ts';

/**
 * A libpq connection URI, every part percent-encoded.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export const url: Format = {
  refuse: () => undefined,
  write({ username, password, host, hostaddr, port, database, sslmode, sslrootcert }) {
    const [user, secret] = [username, password].map(encodeURIComponent);
    // node-postgres decodes a path with decodeURI, so only ? and # are encoded in addition.
    const path = encodeURI(database).replace(/[?#]/g, encodeURIComponent);
    const more = Object.entries({ hostaddr, sslrootcert }).flatMap(([name, value]) =>
      value === undefined ? [] : [`&${name}=${encodeURIComponent(value)}`],
    );
    const query = `sslmode=${sslmode}${more.join('')}`;
    return `postgresql://${user}:${secret}@${urlHost(host)}:${port}/${path}?${query}`;
  },
  read(text) {
    const [, user, secret] = /^\w+:\/\/([^:@/]*):([^@/]*)@/.exec(text) ?? [];
    if (user === undefined || secret === undefined) return undefined;
    try {
      return { username: decodeURIComponent(user), password: decodeURIComponent(secret) };
    } catch {
      return undefined;
    }
  },
};

function urlHost(host: string): string {
  // In an IPv6 address only the % before its zone must be escaped.
  return host.includes(':') ? `[${host.replace('%', '%25')}]` : encodeURIComponent(host);
}
