import type { Connection, EmbeddedConnection } from '../../policy/config.ts';
import type { Policy } from '../../policy/policy.ts';
import { connect } from '../connect.ts';
import { ensureDatabase, provisionLogins } from '../provision-embedded.ts';
import type { Embedded } from './cluster.ts';

const STATE = 'keyturn';

/** Makes the state database of the embedded PostgreSQL, unless it is there, and returns its URL, password included. */
export async function ensureStateDatabase(cluster: Embedded): Promise<string> {
  await using session = await connect(targetIn(cluster, 'postgres'));
  await ensureDatabase(session.client, STATE);
  const { user, password, host, port } = cluster;
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${STATE}`;
}

/** Makes a policy's database, owner and logins on the embedded PostgreSQL, unless they are there. */
export async function ensureTarget(
  cluster: Embedded,
  { name, database }: EmbeddedConnection,
  policy: Policy,
): Promise<Connection> {
  await using maintenance = await connect(targetIn(cluster, 'postgres'));
  await ensureDatabase(maintenance.client, database);
  await using session = await connect(targetIn(cluster, database));
  await provisionLogins(session.client, policy);
  return { name, ...targetIn(cluster, database) };
}

function targetIn({ host, port, user, password }: Embedded, database: string) {
  return { host, port, user, password, database, tls: { mode: 'disable' } } as const;
}
