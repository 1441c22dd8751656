import { join } from 'node:path';
import type { Connection, Database, EmbeddedConnection } from '../../../config/config.ts';
import { runningServer } from '../../../postgres/embedded/pid-file.ts';
import { HOST } from '../../../postgres/embedded/port.ts';

/** The embedded PostgreSQL listens on loopback only. */
const EMBEDDED_TLS = { mode: 'disable' } as const;

/**
 * Where the database of a connection is. The embedded PostgreSQL is not started for that: undefined
 * while it does not run.
 */
export async function placeOf(
  connection: Connection | EmbeddedConnection | undefined,
  cwd: string,
): Promise<Omit<Database, 'user'> | undefined> {
  if (connection === undefined || !('embedded' in connection)) return connection;
  const running = await runningServer({ data: join(cwd, '.keyturn', 'postgres', 'data') });
  if (running === undefined) return undefined;
  return { host: HOST, port: running.port, database: connection.database, tls: EMBEDDED_TLS };
}

/** How to connect to it, also while the embedded PostgreSQL does not run. */
export function sslmodeOf(connection: Connection | EmbeddedConnection): string {
  return ('embedded' in connection ? EMBEDDED_TLS : connection.tls).mode;
}
