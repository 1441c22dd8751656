import type { Tls } from '../config.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';
import { isLoopback } from '../values/server.ts';

/** The TLS mode towards a host. The default is never plaintext over a network. */
export function tlsMode(tls: ConnectionEntry['tls'], host: string): Tls['mode'] {
  return tls.mode ?? (isLoopback(host) ? 'disable' : 'verify-full');
}
