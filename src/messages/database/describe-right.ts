import type { MissingRight } from '../../facts/database/missing-right.ts';

/** What the rotator may not do, to follow `may not`: `alter orders_api_a` */
export function describeRight(missing: MissingRight): string {
  switch (missing.right) {
    case 'alter-logins':
      return 'alter logins';
    case 'alter-login':
      return `alter ${missing.login}`;
    case 'alter-superuser':
      return `alter ${missing.login}, which is a superuser`;
    case 'alter-replication-login':
      return `alter ${missing.login}, whose REPLICATION takes a superuser up to PostgreSQL 15`;
    case 'see-sessions':
      return 'see sessions';
    case 'end-sessions':
      return 'end sessions';
  }
}
