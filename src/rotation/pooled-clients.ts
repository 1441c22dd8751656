import { clientsAt } from './clients-at.ts';
import type { RotationView } from './context/rotation-context.ts';

/** What the PgBouncers of a connection say of a login. */
export interface PooledClients {
  /** Who is logged in there as the login: a text for each PgBouncer and database. */
  readonly clients: readonly string[];
  /** Which PgBouncers could not be asked, why, and what follows (G6). */
  readonly faults: readonly string[];
}

/**
 * Asks every PgBouncer of the connection who is logged in as a login. Such a client uses the login although it may
 * have no session in PostgreSQL: in transaction pooling it has one only during a transaction. With `release`, server
 * connections that the last client left behind are closed. Never throws: what PgBouncer cannot tell, or does not do,
 * holds up no rotation.
 */
export async function pooledClients(
  { connection }: RotationView,
  login: string,
  options: { readonly release?: boolean } = {},
): Promise<PooledClients> {
  const faults: string[] = [];
  const clients = (connection.pgbouncer ?? []).map((settings) =>
    clientsAt(settings, login, options).catch((error: Error) => {
      faults.push(
        `PgBouncer ${error.message}. Until that is mended, clients that are logged in there as ${login} may be revoked unseen, and its idle connections hold the drain up until its server_idle_timeout`,
      );
      return [];
    }),
  );
  return { clients: (await Promise.all(clients)).flat(), faults };
}
