import { isIP } from 'node:net';
import type { Login } from './login.ts';

/** What is known of a server and its database, as the configuration has it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly tls: { readonly mode: string; readonly servername?: string };
}

/** Where a login logs in, with the sslmode that keyturn itself uses. */
export function loginPlace({
  host,
  port,
  database,
  tls,
}: Place): Omit<Login, 'username' | 'password' | 'service' | 'verifier' | 'plain'> {
  // The certificate is for a name and the host is an address: libpq takes both.
  const name = isIP(host) !== 0 && tls.mode === 'verify-full' ? tls.servername : undefined;
  const place = { host: name ?? host, port, database, sslmode: tls.mode };
  return name === undefined ? place : { ...place, hostaddr: host };
}
