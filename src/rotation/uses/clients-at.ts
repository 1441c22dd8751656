import type { PgBouncer } from '../../config/config.ts';
import type { SeenClients } from '../../facts/rotation/use-facts.ts';
import { openPgBouncer } from '../../postgres/sessions/pgbouncer.ts';

/**
 * Who is logged in to a PgBouncer as a login, for each of its databases. With `release`, server
 * connections that the last client left behind are closed. Throws when it cannot be asked.
 */
export async function clientsAt(
  settings: PgBouncer,
  login: string,
  { release = false }: { readonly release?: boolean } = {},
): Promise<SeenClients[]> {
  await using console = await openPgBouncer(settings);
  const pools = await console.pools(login);
  if (release) {
    // Not where somebody is logged in: it would be opened again, and other logins would be
    // disturbed.
    const left = pools.filter((pool) => pool.clients === 0 && pool.serverConnections > 0);
    for (const { database } of left) await console.reconnect(database);
  }
  return pools
    .filter((pool) => pool.clients > 0)
    .map(({ database, clients }) => ({ pgbouncer: placeOf(settings), database, login, clients }));
}

/** Host and port of a PgBouncer. */
export function placeOf({ host, port }: PgBouncer): string {
  return `${host}:${port}`;
}
