import type pg from 'pg';
import type { Connection, PgBouncer, Replica } from '../config/config.ts';
import { counted } from '../counted.ts';
import { openReplica } from '../postgres/replicas/open-replica.ts';
import { mergeUses } from '../postgres/sessions/merge-uses.ts';
import { describePrepared } from '../postgres/sessions/prepared-transaction.ts';
import { describeSession, type LoginUse, NOBODY, usesOf } from '../postgres/sessions/sessions.ts';
import { clientsAt } from '../rotation/clients-at.ts';

/**
 * Who holds on to each of these logins, a text for each: sessions on the primary, where `client` is, and on every replica,
 * prepared transactions, clients at PgBouncers. Throws when any of these cannot be asked: that is never nobody (G6).
 */
export async function holdersOf(
  client: pg.ClientBase,
  connection: Connection,
  logins: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const { replicas = [], pgbouncer = [] } = connection;
  const uses = mergeUses([
    await usesOf(client, logins),
    ...(await Promise.all(replicas.map((replica) => usesOn(connection, replica, logins)))),
  ]);
  const holders = new Map<string, readonly string[]>();
  for (const login of logins) {
    const { sessions, prepared } = uses.get(login) ?? NOBODY;
    const pooled = await Promise.all(pgbouncer.map((settings) => clientsOf(connection, settings, login)));
    holders.set(login, [
      ...sessions.map(describeSession),
      ...prepared.map(describePrepared),
      ...pooled.flat(),
    ]);
  }
  return holders;
}

async function usesOn(
  connection: Connection,
  replica: Replica,
  logins: readonly string[],
): Promise<Map<string, LoginUse>> {
  await using opened = openReplica(connection, replica);
  return await opened.uses(logins);
}

async function clientsOf({ name }: Connection, settings: PgBouncer, login: string): Promise<string[]> {
  try {
    return (await clientsAt(settings, login)).map(
      ({ clients, pgbouncer, database }) =>
        `${counted(clients, 'client')} of ${login} at PgBouncer ${pgbouncer} in its database ${database}`,
    );
  } catch (cause) {
    throw new Error(
      `PgBouncer ${(cause as Error).message}. If it is gone, remove it from the pgbouncer of connection ${name}`,
      { cause },
    );
  }
}
