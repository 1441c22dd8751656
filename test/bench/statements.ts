import type pg from 'pg';
import type { Place } from './place.ts';

/** What keyturn has sent to a database. */
export interface Counted {
  readonly statements: number;
  readonly sessions: number;
  /** Each statement and how often it was sent, most often first. */
  readonly texts: readonly { readonly calls: number; readonly query: string }[];
}

/** Those that begin and end a transaction, and set what holds for it. */
const TRANSACTION = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET LOCAL|DISCARD)/;

export function outsideOfTransactionControl({ texts }: Counted): number {
  return sum(texts.filter(({ query }) => !TRANSACTION.test(query)));
}

/** Those of the ledger. The others in the state database are those of BullMQ and of new sessions. */
export function ofLedger({ texts }: Counted): number {
  return sum(texts.filter(({ query }) => query.includes('keyturn.')));
}

function sum(texts: Counted['texts']): number {
  return texts.reduce((total, { calls }) => total + calls, 0);
}

/** On the target and in the state database. */
export interface Counts {
  readonly target: Counted;
  readonly state: Counted;
}

type Client = Pick<pg.Client, 'query'>;

/**
 * Counts from here on, until the function that it returns is called. The superuser's statements do
 * not count, because tests send them. Sessions do, whoever has them: open none meanwhile.
 */
export async function startCounting({ admin, state, workspace }: Place): Promise<() => Promise<Counts>> {
  const sessionsBefore = await Promise.all([
    sessionsOf(admin, workspace.target),
    sessionsOf(state as unknown as Client, workspace.state),
  ]);
  for (const client of [admin, state]) await client.query('SELECT public.pg_stat_statements_reset()');
  return async () => ({
    target: await counted(admin, workspace.target, sessionsBefore[0]),
    state: await counted(state as unknown as Client, workspace.state, sessionsBefore[1]),
  });
}

/** https://www.postgresql.org/docs/current/monitoring-stats.html: a session tells of itself within a second. */
async function sessionsOf(client: Client, database: string): Promise<number> {
  const { rows } = await client.query<{ sessions: number }>(
    'SELECT sessions::int FROM pg_catalog.pg_stat_database WHERE datname = $1',
    [database],
  );
  return rows[0]?.sessions ?? Number.NaN;
}

async function counted(client: Client, database: string, before: number): Promise<Counted> {
  const { rows: lost } = await client.query<{ lost: number }>(
    'SELECT dealloc::int AS lost FROM public.pg_stat_statements_info',
  );
  if (lost[0]?.lost !== 0)
    throw new Error('pg_stat_statements has lost statements: raise pg_stat_statements.max');
  const { rows: texts } = await client.query<{ calls: number; query: string }>(
    `SELECT pg_catalog.sum(calls)::int AS calls,
            pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace(query,
              '\\s+', ' ', 'g'), '_\\d+_', '_N_', 'g'), 'SCRAM-SHA-256\\$[^'']*', '…') AS query
       FROM public.pg_stat_statements AS statement
       JOIN pg_catalog.pg_database AS database ON database.oid = statement.dbid
       JOIN pg_catalog.pg_roles AS role ON role.oid = statement.userid
      WHERE database.datname = $1 AND NOT role.rolsuper
      GROUP BY 2 ORDER BY 1 DESC, 2`,
    [database],
  );
  return {
    statements: sum(texts),
    sessions: (await sessionsOf(client, database)) - before,
    texts,
  };
}
