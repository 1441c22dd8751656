import type { Tls } from '../config.ts';
import type { ConnectionEntry } from '../schema/config-schema.ts';
import { isLoopback } from '../values/server.ts';

/** How to encrypt towards a host: as the connection says, and left out never in plaintext over a network. */
export function tlsMode(tls: ConnectionEntry['tls'], host: string): Tls['mode'] {
  return tls.mode ?? (isLoopback(host) ? 'disable' : 'verify-full');
}
