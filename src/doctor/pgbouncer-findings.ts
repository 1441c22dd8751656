import type { PgBouncer } from '../config/config.ts';
import { openPgBouncer } from '../postgres/sessions/pgbouncer.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { configuredCertificateFindings } from './configured-certificate-findings.ts';
import { faultFinding } from './fault-finding.ts';

/** Whether a PgBouncer's console can be asked and obeys. What it does not do stops no rotation, but hides clients from it. */
export async function pgbouncerFindings(settings: PgBouncer, now: number): Promise<Finding[]> {
  const { host, port, user } = settings;
  const place = `${host}:${port}`;
  const own = configuredCertificateFindings(settings.tls, now).filter(({ level }) => level !== 'ok');
  try {
    await using console = await openPgBouncer(settings);
    if (await console.isAdmin(user)) {
      return [...own, { level: 'ok', about: 'pgbouncer', text: `${user} administers PgBouncer ${place}` }];
    }
    return [
      ...own,
      {
        level: 'warn',
        about: 'pgbouncer',
        text: `${user} may look at PgBouncer ${place} but not close its idle connections, which hold a drain up until its server_idle_timeout`,
        remedy: `add ${user} to admin_users in its pgbouncer.ini, and RELOAD`,
      },
    ];
  } catch (error) {
    return [...own, { ...faultFinding('pgbouncer', error), level: 'warn' }];
  }
}
