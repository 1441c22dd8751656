import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type pg from 'pg';
import type { Database } from '../../config/config.ts';
import { connectionOf } from '../connection/pg-internals.ts';
import { openTls } from './open-tls.ts';

/**
 * The certificate that a server shows, and its version of TLS. Nothing is verified here: `connect`
 * does that.
 */
export interface PeerCertificate {
  /** `CN=db.internal, O=Example`; empty where it has none. */
  readonly subject: string;
  readonly issuer: string;
  /** As Node.js writes them: `DNS:db.internal, IP Address:10.0.0.1`; empty where it has none. */
  readonly names: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
}

/**
 * Looks at the certificate of a server, in a connection of its own. Undefined when the server has
 * no TLS. Throws what Node.js does.
 */
export async function peerCertificate(target: Database): Promise<PeerCertificate | undefined> {
  const socket = await openTls(target);
  try {
    const der = socket?.getPeerCertificate(false)?.raw;
    if (socket === undefined || der === undefined) return undefined;
    const { subject, issuer, subjectAltName, validFrom, validTo } = new X509Certificate(der);
    return {
      subject: oneLine(subject),
      issuer: oneLine(issuer),
      names: subjectAltName ?? '',
      validFrom: new Date(validFrom),
      validTo: new Date(validTo),
      protocol: socket.getProtocol() ?? '',
    };
  } finally {
    socket?.destroy();
  }
}

/** Until when the server's certificate is valid; undefined on a connection without TLS. */
export function peerCertificateExpiry(client: pg.Client): Date | undefined {
  const { stream } = connectionOf(client);
  if (!(stream instanceof TLSSocket)) return undefined;
  const until = stream.getPeerCertificate().valid_to;
  return until ? new Date(until) : undefined;
}

/** Whom the first certificate of a PEM text is for; empty: nobody. */
export function subjectOf(pem: string): string {
  return oneLine(new X509Certificate(pem).subject);
}

/** A distinguished name as Node.js writes it, on one line; empty where it has none. */
function oneLine(name: string | undefined): string {
  return name?.replaceAll('\n', ', ') ?? '';
}
