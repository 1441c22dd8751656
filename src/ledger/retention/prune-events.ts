import type { LedgerContext } from '../ledger-context.ts';

/** How many events one step removes at most. */
const ROWS = 10_000;

/**
 * Removes old events with their deliveries, dead letters too; not what is still to be delivered.
 * Returns whether none is left.
 */
export async function pruneEvents({ pool }: LedgerContext, before: Date): Promise<boolean> {
  const { rowCount } = await pool.query(
    `DELETE FROM keyturn.policy_event WHERE number IN (
       SELECT number FROM keyturn.policy_event AS old
        WHERE at < $1 AND NOT EXISTS (
          SELECT FROM keyturn.delivery WHERE delivery.event = old.number AND delivery.status = 'pending')
        ORDER BY at LIMIT ${ROWS})`,
    [before],
  );
  return rowCount !== ROWS;
}
