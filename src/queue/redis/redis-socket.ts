import { createConnection, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, TLSSocket, connect as tlsConnect } from 'node:tls';
import type { RedisAccess, RedisNode, Tls } from '../../config/config.ts';
import { isLoopback } from '../../config/values/server.ts';
import { fault } from '../../facts/fault.ts';
import { verification } from '../../postgres/connection/client-options.ts';

/** How long a connection to one node may take, TLS included. */
export const CONNECT_PATIENCE_MS = 3_000;

type Encryption = Pick<RedisAccess, 'tls' | 'plaintext'>;

/**
 * Begins to connect to a node, whoever named it: the configuration, a sentinel or the cluster.
 * Throws `queue-node-in-plaintext` where a password would leave this machine in plaintext, and the
 * configuration does not say that it may.
 */
export function dial({ host, port }: RedisNode, { tls, plaintext }: Encryption): Socket {
  if (tls.mode !== 'disable') return tlsConnect({ host, port, ...tlsOptions(tls, host) });
  if (!plaintext && !isLoopback(host))
    throw fault('queue-node-in-plaintext', { server: nodeName({ host, port }) });
  return createConnection({ host, port });
}

/** For `tls.connect` of Node.js, which sends an address to nobody as a name. */
export function tlsOptions(tls: Tls, host?: string): ConnectionOptions {
  const name = tls.servername ?? host;
  return {
    ...verification(tls),
    ...(name === undefined || isIP(name) ? {} : { servername: name }),
    ...(tls.mode === 'verify-full' && tls.servername !== undefined
      ? { checkServerIdentity: (_, certificate) => checkServerIdentity(tls.servername ?? '', certificate) }
      : {}),
  };
}

/** Resolves once a socket is connected, in bounded time; rejects with why it is not. */
export function untilConnected(socket: Socket, { host, port }: RedisNode): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = Object.assign(new Error(`connect ETIMEDOUT ${nodeName({ host, port })}`), {
      code: 'ETIMEDOUT',
    });
    const timer = setTimeout(() => socket.destroy(late), CONNECT_PATIENCE_MS);
    socket.on('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error(CLOSED));
    });
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What ioredis and BullMQ say of a lost connection. They try again after no other message. */
export const CLOSED = 'Connection is closed.';

/** A node as messages call it. */
export function nodeName({ host, port }: RedisNode): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
