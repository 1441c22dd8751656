import type pg from 'pg';
import type { Connection, PgBouncer, Replica } from '../config/config.ts';
import { factOf, fault } from '../facts/fault.ts';
import type { SeenClients, SeenUse } from '../facts/rotation/use-facts.ts';
import { openReplica } from '../postgres/replicas/open-replica.ts';
import { preparedInfo } from '../postgres/sessions/prepared-transaction.ts';
import { type LoginUse, mergeUses, NOBODY, usesOf } from '../postgres/sessions/sessions.ts';
import { useAt } from '../rotation/uses/use-at.ts';

/**
 * Who uses each of these logins: sessions on the primary, where `client` is, and on every replica,
 * prepared transactions, and clients at PgBouncers. Throws when any of these cannot be asked,
 * because that does not mean nobody (G6).
 */
export async function allUsesOf(
  client: pg.ClientBase,
  connection: Connection,
  logins: readonly string[],
): Promise<SeenUse[]> {
  const { replicas = [], pgbouncer = [] } = connection;
  const uses = mergeUses([
    await usesOf(client, logins),
    ...(await Promise.all(replicas.map((replica) => usesOn(connection, replica, logins)))),
  ]);
  const seen: SeenUse[] = [];
  for (const login of logins) {
    const { sessions, prepared } = uses.get(login) ?? NOBODY;
    const clients = await Promise.all(pgbouncer.map((settings) => clientsOf(connection, settings, login)));
    seen.push({ login, sessions, prepared: prepared.map(preparedInfo), clients: clients.flat() });
  }
  return seen;
}

/** Whether anybody uses the login. */
export function isUsed({ sessions, prepared, clients }: SeenUse): boolean {
  return sessions.length + prepared.length + clients.length > 0;
}

async function usesOn(
  connection: Connection,
  replica: Replica,
  logins: readonly string[],
): Promise<Map<string, LoginUse>> {
  await using opened = openReplica(connection, replica);
  return await opened.uses(logins);
}

async function clientsOf(
  { name: connection }: Connection,
  settings: PgBouncer,
  login: string,
): Promise<readonly SeenClients[]> {
  try {
    return (await useAt(settings, login)).clients;
  } catch (cause) {
    throw fault('roles-pgbouncer-silent', { connection, cause: factOf(cause) }, { cause });
  }
}
