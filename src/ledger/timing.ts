import type pg from 'pg';

/** What a policy's next rotation depends on, apart from its schedule. */
export interface Timing {
  readonly firstSeenAt: Date;
  /** The latest slot that has or had its rotation, failed ones aside. */
  readonly lastSlot: Date | null;
  /** When the latest rotation that was asked for, and is done, was requested. */
  readonly lastAskedAt: Date | null;
  readonly lastFailedAt: Date | null;
  /** Whether it has or had any rotation, failed ones aside. */
  readonly rotated: boolean;
  readonly pausedAt: Date | null;
  readonly pausedBy: string | null;
}

/** The timing of each of these policies; of one that was never seen, as though it were first seen now. */
export async function readTimings(
  pool: pg.Pool,
  policies: readonly string[],
  now: Date,
): Promise<Map<string, Timing>> {
  // One index probe for each value and policy, however long the history is.
  const { rows } = await pool.query(
    `SELECT asked.name, coalesce(first_seen_at, $2) AS "firstSeenAt",
            paused_at AS "pausedAt", paused_by AS "pausedBy",
            (SELECT pg_catalog.max(slot) FROM keyturn.rotation
              WHERE policy = asked.name AND status <> 'failed') AS "lastSlot",
            (SELECT pg_catalog.max(requested_at) FROM keyturn.rotation
              WHERE policy = asked.name AND status = 'done' AND slot IS NULL) AS "lastAskedAt",
            (SELECT pg_catalog.max(finished_at) FROM keyturn.rotation
              WHERE policy = asked.name AND status = 'failed') AS "lastFailedAt",
            EXISTS (SELECT FROM keyturn.rotation
                     WHERE policy = asked.name AND status <> 'failed') AS rotated
       FROM pg_catalog.unnest($1::pg_catalog.text[]) AS asked (name) LEFT JOIN keyturn.policy ON policy.name = asked.name`,
    [policies, now],
  );
  return new Map(rows.map(({ name, ...timing }) => [name, timing]));
}
