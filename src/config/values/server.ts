import type { Connection, EmbeddedConnection } from '../config.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';

/** Whether a host is this machine: a loopback address, or the folder of a Unix socket. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/i.test(host);
}

/** The spellings of one server. Other loopback addresses tell the servers of tunnels apart. */
const THIS_MACHINE = /^(localhost|127\.0\.0\.1|::1)$/i;

/** Equal for connections to the same server, which share its roles. Undefined: not known. */
export function serverOf(
  connection: Partial<Pick<ConnectionEntry, 'host' | 'port'>>,
  hasHost: boolean,
): string | undefined {
  if (!hasHost) return 'embedded';
  const { host, port } = connection;
  if (host === undefined || port === undefined) return undefined;
  return `${THIS_MACHINE.test(host) ? 'localhost' : host.toLowerCase()}:${port}`;
}

/** The same of a connection that is valid. */
export function serverOfConnection(connection: Connection | EmbeddedConnection): string | undefined {
  return 'embedded' in connection ? serverOf({}, false) : serverOf(connection, true);
}
