import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';
import { tlsMode } from '../tls/tls-mode.ts';
import { isLoopback, serverOf } from '../values/server.ts';

/**
 * Checks that each replica of a connection with a host is a server of its own, and that none is
 * reached in plaintext without a warning.
 */
export function checkReplicas(
  review: Review,
  connection: Path,
  { host: primary, port, tls, replicas = [] }: Partial<ConnectionEntry>,
): void {
  const serverAt = (entry: { host?: string; port?: number }) =>
    serverOf({ ...(port === undefined ? {} : { port }), ...entry }, true);
  const seen = new Map<string | undefined, 'primary' | 'replica'>();
  if (primary !== undefined) seen.set(serverAt({ host: primary }), 'primary');
  for (const [index, replica] of replicas.entries()) {
    const path = [...connection, 'replicas', index];
    const host = review.shown([...path, 'host']);
    const server = serverAt(replica);
    const of = seen.get(server);
    if (server !== undefined && of !== undefined) {
      review.report([...path, 'host'], fact('replica-repeated', { host, of }));
    }
    seen.set(server, 'replica');
    if (tls === undefined) continue;
    if (replica.servername !== undefined && tlsMode(tls, replica.host) === 'disable') {
      review.report([...path, 'servername'], fact('replica-servername-useless', {}));
    }
    // Where the primary is not loopback either, its own warning says it.
    if (isLoopback(replica.host) || !isLoopback(primary ?? replica.host)) continue;
    if (tls.mode === 'disable') review.warn([...path, 'host'], fact('tls-off', { host }));
    else if (tls.mode === 'require') review.warn([...path, 'host'], fact('tls-unverified', { host }));
  }
}
