import { X509Certificate } from 'node:crypto';
import type { Tls } from '../config/config.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { certificateFinding } from './certificate-finding.ts';

/** How long the certificates are still valid that the configuration of a connection has. */
export function configuredCertificateFindings({ ca, cert }: Tls, now: number): Finding[] {
  // A bundle of authorities may hold old ones, so the last to end counts. The first of a client's
  // chain is its own.
  const authority = endsOf(ca).sort((one, other) => other.getTime() - one.getTime())[0];
  const client = endsOf(cert)[0];
  return [
    ...(authority ? [certificateFinding({ kind: 'authority' }, authority, now)] : []),
    ...(client ? [certificateFinding({ kind: 'client' }, client, now)] : []),
  ];
}

function endsOf(pem = ''): Date[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  return blocks.map((block) => new Date(new X509Certificate(block).validTo));
}
