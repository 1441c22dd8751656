import { TLSSocket } from 'node:tls';
import type pg from 'pg';

/** Until when the certificate that the server showed is valid; undefined on a connection without TLS. */
export function peerCertificateExpiry(client: pg.Client): Date | undefined {
  const { stream } = (client as unknown as { connection: { stream: unknown } }).connection;
  if (!(stream instanceof TLSSocket)) return undefined;
  const until = stream.getPeerCertificate().valid_to;
  return until ? new Date(until) : undefined;
}
