import type { Connection, EmbeddedConnection } from '../config.ts';
import type { ConnectionEntry } from '../schema/config-schema.ts';

/** Whether a host never leaves this machine: an address of the loopback interface, or the folder of a socket. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/i.test(host);
}

/** How one server on this machine is spelled. The other loopback addresses are left to whoever tells servers apart by them, as tunnels do. */
const THIS_MACHINE = /^(localhost|127\.0\.0\.1|::1)$/i;

/** The same text for connections to the same server, whose roles they share; undefined while that is not known. */
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
