import type pg from 'pg';
import type { Tls } from '../config/config.ts';
import { isLoopback } from '../config/values/server.ts';
import { fact } from '../facts/fact.ts';
import { peerCertificateExpiry } from '../postgres/tls/peer-certificate.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { certificateFinding } from './certificate-finding.ts';
import { configuredCertificateFindings } from './configured-certificate-findings.ts';

/** How a connection to a host is protected, and how long its certificates are valid. */
export function tlsFindings(
  { host, tls }: { readonly host: string; readonly tls: Tls },
  { client, now }: { readonly client?: pg.Client; readonly now: number },
): Finding[] {
  const until = client && peerCertificateExpiry(client);
  return [
    modeFinding(host, tls),
    ...(until ? [certificateFinding({ kind: 'server', host }, until, now)] : []),
    ...configuredCertificateFindings(tls, now),
  ];
}

function modeFinding(host: string, { mode }: Tls): Finding {
  if (isLoopback(host)) return finding('ok', 'tls', fact('tls-to-loopback', { mode }));
  if (mode === 'disable') return finding('warn', 'tls', fact('connection-not-encrypted', { host }));
  if (mode === 'require') return finding('warn', 'tls', fact('connection-not-verified', { host }));
  return finding('ok', 'tls', fact('tls-verified', { mode }));
}
