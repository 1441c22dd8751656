import { join } from 'node:path';
import type { Connection, Database, EmbeddedConnection } from '../../../config/config.ts';
import { runningServer } from '../../../postgres/embedded/pid-file.ts';
import { HOST } from '../../../postgres/embedded/port.ts';

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
  return { host: HOST, port: running.port, database: connection.database, tls: { mode: 'disable' } };
}
