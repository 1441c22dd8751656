import type { PgBouncer } from '../config/config.ts';
import { fact } from '../facts/fact.ts';
import { openPgBouncer } from '../postgres/sessions/pgbouncer.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { configuredCertificateFindings } from './configured-certificate-findings.ts';
import { faultFinding } from './fault-finding.ts';

/**
 * Whether a PgBouncer's console can be asked and obeys. If not, that stops no rotation, but hides
 * clients from it.
 */
export async function pgbouncerFindings(settings: PgBouncer, now: number): Promise<Finding[]> {
  const { host, port, user } = settings;
  const which = { pgbouncer: `${host}:${port}`, user };
  const own = configuredCertificateFindings(settings.tls, now).filter(({ level }) => level !== 'ok');
  try {
    await using console = await openPgBouncer(settings);
    return [
      ...own,
      (await console.isAdmin(user))
        ? finding('ok', 'pgbouncer', fact('pgbouncer-ready', which))
        : finding('warn', 'pgbouncer', fact('pgbouncer-not-administered', which)),
    ];
  } catch (error) {
    return [...own, { ...faultFinding('pgbouncer', error), level: 'warn' }];
  }
}
