import { X509Certificate } from 'node:crypto';
import type { Tls } from '../config/config.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { certificateFinding } from './certificate-finding.ts';

/** How long the certificates are still good that the configuration of a connection has. A bundle may hold old ones, so its last counts. */
export function configuredCertificateFindings({ ca, cert }: Tls, now: number): Finding[] {
  const parts = [
    ['The CA certificate that ends last', ca],
    ['The client certificate', cert],
  ] as const;
  return parts.flatMap(([what, pem]) => {
    const ends = pem === undefined ? [] : endsOf(pem);
    if (pem === undefined) return [];
    // Of a client certificate's chain the first is its own.
    const end = pem === cert ? ends[0] : ends.sort((one, other) => other.getTime() - one.getTime())[0];
    return end ? [certificateFinding(what, end, now)] : [];
  });
}

function endsOf(pem: string): Date[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  return blocks.map((block) => new Date(new X509Certificate(block).validTo));
}
