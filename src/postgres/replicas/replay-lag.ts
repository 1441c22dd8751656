import type pg from 'pg';
import { readServer } from '../connection/rotator.ts';
import type { OpenReplica } from './open-replica.ts';

export interface ReplayLag {
  /** False for a server that was promoted, which replays nothing any more. */
  readonly standby: boolean;
  readonly paused: boolean;
  /**
   * How much of the primary's WAL it has not replayed, such as `16 kB`; undefined where it does not
   * tell.
   */
  readonly behind: string | undefined;
}

/**
 * How far a replica is behind, for people to read. Its own pg_roles tells whether it has replayed
 * an ALTER ROLE.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL
 */
export async function replayLag(primary: pg.ClientBase, replica: OpenReplica): Promise<ReplayLag> {
  const { standby } = await replica.ask(readServer);
  if (!standby) return { standby, paused: false, behind: undefined };
  try {
    const { paused, replayed } = await replica.ask(async (client) => {
      const { rows } = await client.query<{ paused: boolean; replayed: string | null }>(
        `SELECT pg_catalog.pg_is_wal_replay_paused() AS paused,
                pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text AS replayed`,
      );
      return rows[0] ?? { paused: false, replayed: null };
    });
    const { rows } = await primary.query<{ behind: string | null }>(
      `SELECT pg_catalog.pg_size_pretty(
                pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), $1)) AS behind`,
      [replayed],
    );
    return { standby, paused, behind: rows[0]?.behind ?? undefined };
  } catch {
    // Managed services with their own storage have no such functions.
    return { standby, paused: false, behind: undefined };
  }
}
