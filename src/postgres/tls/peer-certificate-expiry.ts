import { TLSSocket } from 'node:tls';
import type pg from 'pg';
import { connectionOf } from '../connection/pg-internals.ts';

/** Until when the server's certificate is valid; undefined on a connection without TLS. */
export function peerCertificateExpiry(client: pg.Client): Date | undefined {
  const { stream } = connectionOf(client);
  if (!(stream instanceof TLSSocket)) return undefined;
  const until = stream.getPeerCertificate().valid_to;
  return until ? new Date(until) : undefined;
}
