import type { Connection } from '../../config/config.ts';
import type { Server } from '../../postgres/connection/rotator.ts';
import type { Finding } from './finding.ts';

const OLDEST_SERVER = 140_000;

/** Why no login can be rotated on a server: it is a pooler, a standby, or too old. */
export function serverFindings({ host, port }: Connection, server: Server): Finding[] {
  const fail = (text: string, remedy: string): Finding => ({ level: 'fail', about: 'server', text, remedy });
  const place = `${host}:${port}`;
  return [
    ...(server.pooled
      ? [
          fail(
            `${place} is a pooler, which could let a login in without PostgreSQL`,
            'point the connection at PostgreSQL itself, and list a PgBouncer under pgbouncer',
          ),
        ]
      : []),
    ...(server.standby
      ? [
          fail(
            `${place} is a standby server, where logins cannot be altered`,
            'point the connection at the primary',
          ),
        ]
      : []),
    ...(server.version < OLDEST_SERVER
      ? [fail(`PostgreSQL ${Math.trunc(server.version / 10_000)} is too old`, '14 or newer is needed')]
      : []),
  ];
}
