import type { Fact } from '../../facts/fact.ts';
import { factJson } from '../fact-json.ts';
import { type LedgerContext, nowOf } from '../ledger-context.ts';

/** A publication that the ledger does not know: it was lost, or restored from a backup. */
export interface FoundPublication {
  /** The token of the version, which was the id of the rotation that published it. */
  readonly id: string;
  readonly policy: string;
  readonly incoming: string;
  readonly outgoing: string | null;
  /** When it was published, as far as that is known. The policy's next slots count from it. */
  readonly publishedAt: Date | undefined;
  /** What the history says of it. */
  readonly fact: Fact;
  /** The latest rotation of the policy that the ledger knows; null: none. */
  readonly after: string | null;
}

/** Who asked for a rotation that was taken over from what the store says. */
export const RECOVERY = 'recovery';

/**
 * Adds a rotation that is over to the history, as far as the store tells of it. Returns false, and
 * writes nothing, where the policy has another latest rotation than `after` by now.
 */
export async function recoverPublication(ledger: LedgerContext, found: FoundPublication): Promise<boolean> {
  const { id, policy, incoming, outgoing, publishedAt, fact, after } = found;
  const now = nowOf(ledger);
  // A clock that was wrong, or somebody who sets file times, postpones nothing.
  const at = publishedAt && publishedAt < now ? publishedAt : now;
  const { rowCount } = await ledger.pool.query(
    `WITH recovered AS (
       INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, status, incoming, outgoing,
                                     published_at, finished_at)
       SELECT $1::pg_catalog.uuid, $2, 'manual', '${RECOVERY}', $5::pg_catalog.timestamptz, 'done', $3, $4, $5, $5
        WHERE (SELECT id FROM keyturn.rotation WHERE policy = $2 ORDER BY number DESC LIMIT 1)
              IS NOT DISTINCT FROM $6::pg_catalog.uuid
       ON CONFLICT DO NOTHING RETURNING id)
     INSERT INTO keyturn.event (rotation, at, step, kind, fact)
     SELECT id, $7, 'publish', 'warning', $8::pg_catalog.jsonb FROM recovered`,
    [id, policy, incoming, outgoing, at, after, now, factJson(fact)],
  );
  return rowCount === 1;
}
