import { Socket } from 'node:net';
import type { ClientConfig } from 'pg';
import type { Database, Tls } from '../../config/config.ts';
import { scramOnly } from './scram-only.ts';

/** What pg needs to log in to a database: whatever libpq's environment variables say, and in plaintext only if the mode is `disable`. */
export function clientOptions({ host, port, database, user, password, tls }: Database): ClientConfig {
  const common: ClientConfig = {
    port,
    database,
    user,
    // Else that of PGSSLNEGOTIATION.
    sslnegotiation: 'postgres',
  };
  const wanted = { password, certificate: tls.cert !== undefined, tls: tls.mode !== 'disable' };
  if (tls.mode === 'disable') {
    return { ...common, ...scramOnly(wanted, () => new Socket()), host, ssl: false };
  }
  const name = tls.servername ?? host;
  return {
    ...common,
    // pg sends its host as SNI unless that is an address, so it is told the name, or one of no meaning; the socket knows the way.
    host: tls.sni === false ? '0.0.0.0' : name,
    ...scramOnly(wanted, () => socketTo(host, port)),
    // What Node.js checks the certificate for where no name is sent; missing in the types of pg.
    ssl: { ...verification(tls), ...{ host: name } },
  };
}

/** How much of the server's certificate is checked, and what is shown of one's own; for Node.js' `tls.connect`. */
function verification({ mode, ca, cert, key }: Tls) {
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
