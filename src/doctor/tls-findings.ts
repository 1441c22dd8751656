import type pg from 'pg';
import type { Tls } from '../config/config.ts';
import { isLoopback } from '../config/values/server.ts';
import { peerCertificateExpiry } from '../postgres/tls/peer-certificate.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { certificateFinding } from './certificate-finding.ts';
import { configuredCertificateFindings } from './configured-certificate-findings.ts';

/** How a connection to a host is protected, and how long the certificates that it takes are good. */
export function tlsFindings(
  { host, tls }: { readonly host: string; readonly tls: Tls },
  { client, now }: { readonly client?: pg.Client; readonly now: number },
): Finding[] {
  const until = client && peerCertificateExpiry(client);
  return [
    modeFinding(host, tls),
    ...(until ? [certificateFinding(`The certificate of ${host}`, until, now)] : []),
    ...configuredCertificateFindings(tls, now),
  ];
}

function modeFinding(host: string, { mode }: Tls): Finding {
  const about = 'tls';
  const remedy = 'set tls: { mode: verify-full } on the connection';
  if (isLoopback(host)) return { level: 'ok', about, text: `${mode}, to this machine` };
  if (mode === 'disable') {
    return { level: 'warn', about, text: `the connection to ${host} is not encrypted`, remedy };
  }
  if (mode === 'require') {
    return {
      level: 'warn',
      about,
      text: `the connection to ${host} is encrypted, but anyone could answer it`,
      remedy,
    };
  }
  return { level: 'ok', about, text: mode };
}
