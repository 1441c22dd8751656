import { isIP } from 'node:net';
import type { Connection } from '../../config/config.ts';
import type { Mapping } from '../../config/policy.ts';
import type { Fields } from '../../secret-store/secret-store.ts';
import type { Credential } from './rotation-context.ts';

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
 * A libpq connection URI, every part percent-encoded, with the sslmode that keyturn itself uses. Not with its certificates:
 * they are paths of this machine. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function loginUrl(connection: Connection, { username, password }: Credential): string {
  const { host, port, tls } = connection;
  const [user, secret] = [username, password].map(encodeURIComponent);
  // Of what may stand in a path, node-postgres decodes nothing (it uses decodeURI), so only ? and # are encoded more.
  const database = encodeURI(connection.database).replace(/[?#]/g, encodeURIComponent);
  // An address whose certificate is for a name: libpq has a parameter for each of the two.
  const name = isIP(host) !== 0 && tls.mode === 'verify-full' ? tls.servername : undefined;
  const address = name === undefined ? '' : `&hostaddr=${encodeURIComponent(host)}`;
  return `postgresql://${user}:${secret}@${urlHost(name ?? host)}:${port}/${database}?sslmode=${tls.mode}${address}`;
}

function urlHost(host: string): string {
  // Of an IPv6 address only the % before its zone is anything to escape.
  return host.includes(':') ? `[${host.replace('%', '%25')}]` : encodeURIComponent(host);
}
