import { isIP } from 'node:net';
import type { Connection } from '../../config/config.ts';
import type { Mapping } from '../../config/policy.ts';
import type { Fields } from '../../secret-store/secret-store.ts';
import type { Credential } from './policy-view.ts';

/** What a destination publishes of a login: a value for each field that its mapping names. */
export function loginFields(mapping: Mapping, connection: Connection, credential: Credential): Fields {
  const all: Required<Fields> = {
    ...credential,
    host: connection.host,
    port: String(connection.port),
    database: connection.database,
    engine: 'postgres',
    url: loginUrl(connection, credential),
  };
  return Object.fromEntries(Object.entries(all).filter(([field]) => field in mapping));
}

/**
 * A libpq connection URI, every part percent-encoded, with the sslmode that keyturn itself uses.
 * Not with its certificates: they are paths of this machine.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function loginUrl(connection: Connection, { username, password }: Credential): string {
  const { host, port, tls } = connection;
  const [user, secret] = [username, password].map(encodeURIComponent);
  // node-postgres decodes a path with decodeURI, so only ? and # are encoded in addition.
  const database = encodeURI(connection.database).replace(/[?#]/g, encodeURIComponent);
  // The certificate is for a name and the host is an address: libpq takes both.
  const name = isIP(host) !== 0 && tls.mode === 'verify-full' ? tls.servername : undefined;
  const address = name === undefined ? '' : `&hostaddr=${encodeURIComponent(host)}`;
  return `postgresql://${user}:${secret}@${urlHost(name ?? host)}:${port}/${database}?sslmode=${tls.mode}${address}`;
}

function urlHost(host: string): string {
  // In an IPv6 address only the % before its zone must be escaped.
  return host.includes(':') ? `[${host.replace('%', '%25')}]` : encodeURIComponent(host);
}
