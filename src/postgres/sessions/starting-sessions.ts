import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { prepared } from '../connection/prepared.ts';
import { unlessForbidden } from '../connection/unless-forbidden.ts';

/** How long to wait for sessions that are starting, in milliseconds: they need a few. */
const PATIENCE_MS = 250;
const PAUSE_MS = 10;

/**
 * Waits for sessions that are starting, and returns the processes of those of which nobody can tell
 * yet whose they are. Ask this after NOLOGIN was committed, or replayed on a replica, and before
 * asking who uses the login.
 *
 * A session that PostgreSQL let in just before NOLOGIN is in pg_stat_activity only at the end of
 * its start. That takes milliseconds, or as long as its client says (`post_auth_delay`), so waiting
 * proves nothing. But it starts in a transaction, which pg_locks shows from before its login is
 * checked until after it is in pg_stat_activity. So whoever is not in pg_locks when this looks was
 * let in before and can be seen, or will be refused. See `InitPostgres` in
 * https://github.com/postgres/postgres/blob/master/src/backend/utils/init/postinit.c.
 */
export async function startingSessions(client: pg.ClientBase): Promise<readonly number[]> {
  const { rows } = await client.query<{ pids: number[] }>(prepared(STARTING));
  let starting = rows[0]?.pids ?? [];
  const deadline = performance.now() + PATIENCE_MS;
  while (starting.length > 0 && performance.now() < deadline) {
    await sleep(PAUSE_MS);
    starting = await unidentified(client, starting);
  }
  return starting;
}

/** Those of some processes of which pg_stat_activity does not say whose they are. */
const unidentifiedOf = (pids: string) => `
  SELECT held.pid
    FROM pg_catalog.unnest(${pids}) AS held (pid)
   WHERE EXISTS (SELECT FROM pg_catalog.pg_locks AS lock WHERE lock.pid = held.pid)
     AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_stat_activity AS activity
        WHERE activity.pid = held.pid
          AND (activity.usesysid IS NOT NULL
               OR activity.backend_type <> ALL (ARRAY['client backend', 'walsender']::pg_catalog.text[])))`;

/**
 * The same of all that are in a transaction. PostgreSQL reads pg_locks first, since what it then
 * asks pg_stat_activity depends on the processes that it found there.
 */
const STARTING = `
  SELECT ARRAY(${unidentifiedOf('seen.pids')}) AS pids
    FROM (SELECT pg_catalog.array_agg(lock.pid) AS pids FROM pg_catalog.pg_locks AS lock
           WHERE lock.locktype = 'virtualxid'::pg_catalog.text
             AND lock.pid <> pg_catalog.pg_backend_pid()) AS seen`;

const UNIDENTIFIED = unidentifiedOf('$1::pg_catalog.int4[]');

async function unidentified(client: pg.ClientBase, pids: readonly number[]): Promise<number[]> {
  if (pids.length === 0) return [];
  const { rows } = await client.query<{ pid: number }>(prepared(UNIDENTIFIED, [pids]));
  return rows.map(({ pid }) => pid);
}

/**
 * Ends sessions that are starting, if they still are. One that the rotator may not end is left: it
 * is a superuser's. Needs a transaction.
 */
export async function endStarting(client: pg.ClientBase, pids: readonly number[]): Promise<void> {
  for (const pid of await unidentified(client, pids)) {
    await unlessForbidden(client, () =>
      client.query('SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4)', [pid]),
    );
  }
}
