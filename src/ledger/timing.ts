import type pg from 'pg';
import { latestTolerated } from './future.ts';

/**
 * What a policy's next rotation depends on, apart from its schedule. None of these instants lies in
 * the future.
 */
export interface Timing {
  readonly firstSeenAt: Date;
  /** Whether a worker or a pause has recorded it; if not, it is as though first seen now. */
  readonly isSeen: boolean;
  /**
   * Whether slots are counted from then while there is no rotation. A policy that an earlier
   * release saw counts from the epoch.
   */
  readonly countsFromFirstSeen: boolean;
  /** The latest slot that has or had its rotation, failed ones aside. */
  readonly lastSlot: Date | null;
  /** When the latest rotation that was asked for, and is done, was requested. */
  readonly lastAskedAt: Date | null;
  readonly lastFailedAt: Date | null;
  /** Whether it has or had any rotation, failed ones aside. */
  readonly rotated: boolean;
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
  readonly pausedHost?: string | null;
  readonly pausedReason?: string | null;
  /**
   * The latest instant in the ledger that lies in the future, where one does: nobody waits for it.
   */
  readonly futureAt?: Date | null;
}

/**
 * The timing of each of these policies; of one that was never seen, as though it were first seen
 * now.
 */
export async function readTimings(
  pool: pg.Pool,
  policies: readonly string[],
  now: Date,
): Promise<Map<string, Timing>> {
  // One index probe for each value and policy, however long the history is.
  const { rows } = await pool.query<Timing & { readonly name: string }>(
    `SELECT asked.name, CASE WHEN first_seen_at <= $3 THEN first_seen_at ELSE $2 END AS "firstSeenAt",
            policy.name IS NOT NULL AS "isSeen",
            coalesce(counts_from_first_seen, true) AS "countsFromFirstSeen",
            paused_at AS "pausedAt", paused_by AS "pausedBy", paused_host AS "pausedHost",
            paused_reason AS "pausedReason",
            (SELECT pg_catalog.max(slot) FROM keyturn.rotation
              WHERE policy = asked.name AND status <> 'failed' AND slot <= $3) AS "lastSlot",
            (SELECT pg_catalog.max(requested_at) FROM keyturn.rotation
              WHERE policy = asked.name AND status = 'done' AND slot IS NULL AND requested_at <= $3) AS "lastAskedAt",
            (SELECT pg_catalog.max(finished_at) FROM keyturn.rotation
              WHERE policy = asked.name AND status = 'failed' AND finished_at <= $3) AS "lastFailedAt",
            EXISTS (SELECT FROM keyturn.rotation
                     WHERE policy = asked.name AND status <> 'failed') AS rotated,
            CASE WHEN latest.at > $3 THEN latest.at END AS "futureAt"
       FROM pg_catalog.unnest($1::pg_catalog.text[]) AS asked (name) LEFT JOIN keyturn.policy ON policy.name = asked.name
      CROSS JOIN LATERAL (SELECT greatest(
        first_seen_at, paused_at,
        (SELECT pg_catalog.max(requested_at) FROM keyturn.rotation WHERE policy = asked.name),
        (SELECT pg_catalog.max(slot) FROM keyturn.rotation WHERE policy = asked.name AND status <> 'failed'),
        (SELECT pg_catalog.max(published_at) FROM keyturn.rotation WHERE policy = asked.name AND status = 'open'),
        (SELECT pg_catalog.max(finished_at) FROM keyturn.rotation WHERE policy = asked.name AND status = 'done'),
        (SELECT pg_catalog.max(finished_at) FROM keyturn.rotation WHERE policy = asked.name AND status = 'failed')) AS at) AS latest`,
    [policies, now, latestTolerated(now)],
  );
  return new Map(rows.map(({ name, ...timing }) => [name, timing]));
}
