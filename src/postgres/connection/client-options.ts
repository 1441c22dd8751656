import { Socket } from 'node:net';
import type { ClientConfig } from 'pg';
import type { Database, Tls } from '../../config/config.ts';
import { placeOf } from './place-of.ts';
import { scramOnly } from './scram-only.ts';

/**
 * What pg needs to log in to a database. libpq's environment variables change nothing of it.
 * Plaintext only if the mode is `disable`.
 */
export function clientOptions(target: Database): ClientConfig {
  const { host, port, database, user, password, tls } = target;
  const common: ClientConfig = {
    port,
    database,
    user,
    // Else that of PGSSLNEGOTIATION.
    sslnegotiation: 'postgres',
  };
  const wanted = {
    place: placeOf(target),
    password,
    certificate: tls.cert !== undefined,
    tls: tls.mode !== 'disable',
  };
  if (tls.mode === 'disable') {
    return { ...common, ...scramOnly(wanted, () => new Socket()), host, ssl: false };
  }
  const name = tls.servername ?? host;
  return {
    ...common,
    // pg sends its host as SNI unless that is an address. So it gets the name, or an address that
    // nobody uses; the socket knows the way.
    host: tls.sni === false ? '0.0.0.0' : name,
    ...scramOnly(wanted, () => socketTo(host, port)),
    // The name that Node.js checks the certificate for if it sends none. The types of pg lack it.
    ssl: { ...verification(tls), ...{ host: name } },
  };
}

/**
 * For `tls.connect` of Node.js: what is checked of the server's certificate, and the client
 * certificate.
 */
export function verification({ mode, ca, cert, key }: Tls) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** A socket that goes to this server, wherever it is told to. */
function socketTo(host: string, port: number): Socket {
  const socket = new Socket();
  const connect = socket.connect.bind(socket);
  socket.connect = (() => connect({ host, port })) as Socket['connect'];
  return socket;
}
