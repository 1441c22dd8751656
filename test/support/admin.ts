import pg from 'pg';
import type { Session } from '../../src/postgres/connection/connect.ts';
import type { ServerAddress } from './scenario.ts';

/** A superuser's session on a test server, as an administrator has one: with the server's own settings. */
export async function adminOf(server: ServerAddress, database = 'postgres'): Promise<Session> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database, application_name: 'keyturn test' });
  client.on('error', () => {});
  await client.connect();
  return { client, proven: true, [Symbol.asyncDispose]: () => client.end().catch(() => {}) };
}
