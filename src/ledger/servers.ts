import { prepared } from '../postgres/connection/prepared.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';

/** How often somebody looks at a server, in milliseconds. */
const LOOK_MS = 60_000;

/**
 * When servers are looked at next, and which server each connection led to when all that is
 * published there was probed.
 */
export interface Servers {
  /** Takes connections that are due, so that no other worker does. New ones are due at once. */
  claim(connections: readonly string[]): Promise<readonly string[]>;
  /** Has a server looked at with the next turn. */
  hurry(connection: string): Promise<void>;
  /** Undefined: nothing there has been probed yet. */
  known(connection: string): Promise<string | undefined>;
  /** Records the server of a connection, unless one of its policies still has to be probed. */
  probed(connection: string, server: string, policies: readonly string[]): Promise<void>;
}

export function serversIn(ledger: LedgerContext): Servers {
  return {
    claim: (connections) => claim(ledger, connections),
    hurry: (connection) => hurry(ledger, connection),
    known: (connection) => known(ledger, connection),
    probed: (connection, server, policies) => probed(ledger, { connection, server, policies }),
  };
}

async function claim(ledger: LedgerContext, connections: readonly string[]): Promise<readonly string[]> {
  const now = nowOf(ledger);
  // In one order, so that two workers do not wait for each other.
  const { rows } = await ledger.pool.query<{ readonly connection: string }>(
    prepared(
      `INSERT INTO keyturn.server AS kept (connection, next_look_at)
       SELECT name, $3::pg_catalog.timestamptz FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name ORDER BY name
       ON CONFLICT (connection) DO UPDATE SET next_look_at = EXCLUDED.next_look_at
        WHERE kept.next_look_at <= $2::pg_catalog.timestamptz OR kept.next_look_at > $3
       RETURNING connection`,
      [connections, now, new Date(now.getTime() + LOOK_MS)],
    ),
  );
  return rows.map(({ connection }) => connection);
}

async function hurry(ledger: LedgerContext, connection: string): Promise<void> {
  await ledger.pool.query('UPDATE keyturn.server SET next_look_at = $2 WHERE connection = $1', [
    connection,
    nowOf(ledger),
  ]);
}

async function known({ pool }: LedgerContext, connection: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ readonly server: string | null }>(
    prepared('SELECT server FROM keyturn.server WHERE connection = $1', [connection]),
  );
  return rows[0]?.server ?? undefined;
}

async function probed(
  ledger: LedgerContext,
  seen: { readonly connection: string; readonly server: string; readonly policies: readonly string[] },
): Promise<void> {
  await ledger.pool.query(
    `UPDATE keyturn.server SET server = $2
      WHERE connection = $1
        AND NOT EXISTS (SELECT FROM keyturn.probe WHERE policy = ANY ($3) AND next_at <= $4)`,
    [seen.connection, seen.server, seen.policies, nowOf(ledger)],
  );
}
