import type { ConnectionEntry } from './config-schema.ts';

/** Whether a host never leaves this machine: an address of the loopback interface, or the folder of a socket. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/i.test(host);
}

/** The same text for connections to the same server, whose roles they share; undefined while that is not known. */
export function serverOf(
  connection: Partial<Pick<ConnectionEntry, 'host' | 'port'>>,
  hasHost: boolean,
): string | undefined {
  if (!hasHost) return 'embedded';
  const { host, port } = connection;
  return host === undefined || port === undefined ? undefined : `${host.toLowerCase()}:${port}`;
}
