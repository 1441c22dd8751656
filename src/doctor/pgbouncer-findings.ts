import type { PgBouncer } from '../config/config.ts';
import { fact } from '../facts/fact.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { placeOf, useAt } from '../rotation/uses/use-at.ts';
import { configuredCertificateFindings } from './configured-certificate-findings.ts';
import { faultFinding } from './fault-finding.ts';

/**
 * Whether a PgBouncer's console answers all that a drain asks it. If not, that stops no rotation,
 * but hides clients from it.
 */
export async function pgbouncerFindings(settings: PgBouncer, now: number): Promise<Finding[]> {
  const own = configuredCertificateFindings(settings.tls, now).filter(({ level }) => level !== 'ok');
  try {
    const { user } = settings;
    await useAt(settings, user, { afterLogins: true });
    return [
      ...own,
      finding('ok', 'pgbouncer', fact('pgbouncer-ready', { pgbouncer: placeOf(settings), user })),
    ];
  } catch (error) {
    return [...own, { ...faultFinding('pgbouncer', error), level: 'warn' }];
  }
}
