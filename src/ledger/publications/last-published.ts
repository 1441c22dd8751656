import type pg from 'pg';
import { prepared } from '../../postgres/connection/prepared.ts';

/** What a policy published last, as far as the ledger knows. */
export interface Publication {
  readonly rotation: string;
  /** The tokens of which its version has one, unless somebody else changes the secrets. */
  readonly tokens: readonly string[];
  readonly finishedAt: Date;
}

/**
 * SQL that says whether a rotation is over and has published something. Pruning keeps the newest
 * such rotation.
 */
export const HAS_PUBLISHED = `(status = 'done' OR
  (status = 'failed' AND (published_at IS NOT NULL OR rolled_back_to IS NOT NULL)))`;

/** What the policy's latest rotation that published anything, and is over, has published. */
export async function lastPublished(pool: pg.Pool, policy: string): Promise<Publication | undefined> {
  // One that was rolled back publishes the version before, unless it was cancelled on the way.
  const { rows } = await pool.query<Publication>(
    prepared(
      `SELECT id AS rotation, pg_catalog.array_remove(ARRAY[id::pg_catalog.text, rolled_back_to], NULL) AS tokens,
              finished_at AS "finishedAt"
         FROM keyturn.rotation
        WHERE policy = $1 AND ${HAS_PUBLISHED}
        ORDER BY number DESC LIMIT 1`,
      [policy],
    ),
  );
  return rows[0];
}
