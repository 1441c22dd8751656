import pg from 'pg';
import type { Scenario } from './scenario.ts';

export interface OldClient extends AsyncDisposable {
  readonly client: pg.Client;
}

/** A consumer that is logged in with some credential, by default as the application `shop`. */
export async function logInAs(
  scenario: Scenario,
  { username, password }: { readonly username: string; readonly password: string },
  options: pg.ClientConfig & { readonly replication?: string } = {},
): Promise<OldClient> {
  const { host, port, database } = scenario.connection;
  const config = { host, port, database, user: username, password, application_name: 'shop', ...options };
  const client = new pg.Client(config);
  // Being cut is what some tests are about.
  client.on('error', () => {});
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end().catch(() => {}) };
}
