import type { PgBouncer } from '../../config/config.ts';
import type { SeenClients } from '../../facts/rotation/use-facts.ts';
import { type IdleConnection, openPgBouncer } from '../../postgres/sessions/pgbouncer.ts';

/** What one PgBouncer has of a login. */
export interface UseAt {
  /** Who is logged in there as the login, for each of its databases. */
  readonly clients: readonly SeenClients[];
  /** What it keeps of pools that no client uses. */
  readonly idle: readonly IdleConnection[];
}

/**
 * Who is logged in to a PgBouncer as a login, and what is left of those who were. With
 * `afterLogins` it first lets those in who are just logging in. Throws when it cannot be asked.
 */
export async function useAt(
  settings: PgBouncer,
  login: string,
  { afterLogins = false }: { readonly afterLogins?: boolean } = {},
): Promise<UseAt> {
  await using console = await openPgBouncer(settings);
  if (afterLogins) await console.awaitLogins(login);
  // The clients last: whoever is not among them came after this.
  const idle = await console.idleConnections(login);
  const pools = await console.pools(login);
  const abandoned = new Set(
    pools.filter((pool) => pool.clients === 0 && pool.isAtRest).map(({ database }) => database),
  );
  return {
    clients: pools
      .filter((pool) => pool.clients > 0)
      .map(({ database, clients }) => ({ pgbouncer: placeOf(settings), database, login, clients })),
    idle: idle.filter(({ database }) => abandoned.has(database)),
  };
}

/** Host and port of a PgBouncer. */
export function placeOf({ host, port }: PgBouncer): string {
  return `${host}:${port}`;
}
