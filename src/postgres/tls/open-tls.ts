import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Database } from '../../config/config.ts';

const PATIENCE_MS = 5_000;

/** SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

/**
 * Shakes hands with a server, with the client certificate of the target, and says nothing more. It
 * trusts nobody: it only looks. Undefined if the server has no TLS. Throws what Node.js does.
 */
export async function openTls({ host, port, tls }: Database): Promise<TLSSocket | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const secure = { done: false };
  try {
    await once(socket, 'connect', { signal });
    socket.write(SSL_REQUEST);
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
    if (answer.toString() !== 'S') return undefined;
    const name = tls.servername ?? host;
    const shaken = connectTls({
      socket,
      host: name,
      ...(tls.sni === false || isIP(name) ? {} : { servername: name }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      rejectUnauthorized: false,
    });
    await once(shaken, 'secureConnect', { signal });
    secure.done = true;
    return shaken;
  } finally {
    if (!secure.done) socket.destroy();
  }
}
