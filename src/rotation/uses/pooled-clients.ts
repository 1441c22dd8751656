import { fact } from '../../facts/fact.ts';
import { factOf } from '../../facts/fault.ts';
import type { SeenClients } from '../../facts/rotation/use-facts.ts';
import type { PolicyView } from '../context/policy-view.ts';
import type { Notice } from '../step.ts';
import { clientsAt, placeOf } from './clients-at.ts';

/** What the PgBouncers of a connection say of a login. */
export interface PooledClients {
  /** Who is logged in there as the login, for each PgBouncer and database. */
  readonly clients: readonly SeenClients[];
  /** Which PgBouncers could not be asked (G6). */
  readonly faults: readonly Notice[];
}

/**
 * Asks every PgBouncer of the connection who is logged in as a login. Such a client uses the login
 * although it may have no session in PostgreSQL: in transaction pooling it has one only during a
 * transaction. With `release`, server connections that the last client left behind are closed.
 * Never throws: what PgBouncer cannot tell, or does not do, holds up no rotation.
 */
export async function pooledClients(
  { connection }: Pick<PolicyView, 'connection'>,
  login: string,
  options: { readonly release?: boolean } = {},
): Promise<PooledClients> {
  const faults: Notice[] = [];
  const clients = (connection.pgbouncer ?? []).map((settings) =>
    clientsAt(settings, login, options).catch((error: unknown) => {
      faults.push({
        fact: fact('pgbouncer-not-asked', { login, cause: factOf(error) }),
        subject: placeOf(settings),
      });
      return [];
    }),
  );
  return { clients: (await Promise.all(clients)).flat(), faults };
}
