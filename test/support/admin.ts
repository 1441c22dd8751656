import { connect, type Session } from '../../src/postgres/connect.ts';
import type { ServerAddress } from './scenario.ts';

/** A superuser's session on a test server. */
export function adminOf(server: ServerAddress, database = 'postgres'): Promise<Session> {
  return connect({ ...server, database, tls: { mode: 'disable' } });
}
