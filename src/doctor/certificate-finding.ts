import type { CertificateFact } from '../facts/doctor/connection-facts.ts';
import { fact } from '../facts/fact.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Days that are left when it is time to say so. */
const SOON = 30;

/** How long a certificate is still valid; `now` is milliseconds since the epoch. */
export function certificateFinding(certificate: CertificateFact, end: Date, now: number): Finding {
  const days = Math.floor((end.getTime() - now) / DAY_MS);
  const until = end.toISOString().slice(0, 10);
  if (days < 0) return finding('fail', 'tls', fact('certificate-expired', { certificate, on: until }));
  const term = { certificate, days, until };
  return days < SOON
    ? finding('warn', 'tls', fact('certificate-expires-soon', term))
    : finding('ok', 'tls', fact('certificate-valid', term));
}
