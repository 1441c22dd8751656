import type { Draft } from '../schema/draft.ts';
import { tlsMode } from '../tls/tls-mode.ts';
import { isLoopback, serverOf } from '../values/server.ts';

/** Checks that each replica of a connection with a host is a server of its own, and is not reached in plaintext unawares. */
export function checkReplicas(draft: Draft, name: string): void {
  const { host: primary, port, tls, replicas = [] } = draft.connections.get(name) ?? {};
  const serverAt = (entry: { host?: string; port?: number }) =>
    serverOf({ ...(port === undefined ? {} : { port }), ...entry }, true);
  const seen = new Map<string | undefined, string>();
  if (primary !== undefined) seen.set(serverAt({ host: primary }), 'is the primary itself');
  for (const [index, replica] of replicas.entries()) {
    const path = ['connections', name, 'replicas', index, 'host'];
    const server = serverAt(replica);
    const fault = seen.get(server);
    if (server !== undefined && fault !== undefined) {
      draft.report(path, `${draft.quote(path)} ${fault}; must be a standby server that no other entry names`);
    }
    seen.set(server, 'is listed twice, with the same port');
    if (tls !== undefined && replica.servername !== undefined && tlsMode(tls, replica.host) === 'disable') {
      draft.report(
        [...path.slice(0, -1), 'servername'],
        'has no use without TLS; leave it out, or set the mode of tls to verify-full',
      );
    }
    // Of a primary that is not loopback this was said there.
    if (isLoopback(replica.host) || !isLoopback(primary ?? replica.host)) continue;
    if (tls?.mode !== 'disable' && tls?.mode !== 'require') continue;
    const danger = tls.mode === 'disable' ? 'is not encrypted' : 'is encrypted, but anyone could answer it';
    draft.warn(path, `the connection to ${draft.quote(path)} ${danger}; better is verify-full`);
  }
}
