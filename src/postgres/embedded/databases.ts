import type { Connection, Database, EmbeddedConnection } from '../../config/config.ts';
import type { Policy } from '../../config/policy.ts';
import { connect } from '../connection/connect.ts';
import { remembering } from '../connection/session-pin.ts';
import { closeDatabase, closeSchema } from '../roles/public-access.ts';
import type { Embedded } from './cluster.ts';
import { ensureDatabase, provisionLogins } from './provision-embedded.ts';

const STATE = 'keyturn';

/** Makes the state database of the embedded PostgreSQL, unless it is there. */
export async function ensureStateDatabase(cluster: Embedded): Promise<Database> {
  await using session = await connect(targetIn(cluster, 'postgres'));
  await ensureDatabase(session.client, STATE);
  // The leases are locks in `postgres`, and the ledger decides what is rotated: no login may get
  // in.
  for (const database of ['postgres', STATE]) await closeDatabase(session.client, database);
  const state = targetIn(cluster, STATE);
  await using inside = await connect(state);
  await closeSchema(inside.client);
  return state;
}

/**
 * Makes a policy's database, owner and logins on the embedded PostgreSQL, unless they are there.
 */
export async function ensureTarget(
  cluster: Embedded,
  connection: EmbeddedConnection,
  policy: Policy,
): Promise<Connection> {
  const target = await ensureTargetDatabase(cluster, connection);
  await using session = await connect(target);
  await provisionLogins(session.client, policy);
  return target;
}

/** Makes the database of a connection on the embedded PostgreSQL, unless it is there. */
export async function ensureTargetDatabase(
  cluster: Embedded,
  { name, database }: EmbeddedConnection,
): Promise<Connection> {
  await using maintenance = await connect(targetIn(cluster, 'postgres'));
  await ensureDatabase(maintenance.client, database);
  return { name, ...targetIn(cluster, database) };
}

function targetIn({ host, port, user, password }: Embedded, database: string) {
  return remembering({ host, port, user, password, database, tls: { mode: 'disable' } } as const);
}
