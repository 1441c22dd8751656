import { type LedgerContext, nowOf } from '../ledger-context.ts';

/**
 * Records that these policies are configured somewhere. What the ledger has of policies that were
 * never configured is known by name from now on.
 */
export async function seeConfigured(ledger: LedgerContext, policies: readonly string[]): Promise<void> {
  // In one order, so that two workers do not wait for each other.
  await ledger.pool.query(
    `INSERT INTO keyturn.configured (policy, seen_at)
     SELECT policy, $2 FROM pg_catalog.unnest($1::pg_catalog.text[]) AS policy ORDER BY policy
     ON CONFLICT (policy) DO UPDATE SET seen_at = EXCLUDED.seen_at
      WHERE configured.seen_at < EXCLUDED.seen_at - interval '1 day'`,
    [policies, nowOf(ledger)],
  );
}

/** Records policies that the ledger has something of, and that no worker was seen to have. */
export async function seeUnconfigured(ledger: LedgerContext): Promise<void> {
  // One index probe for each policy, however long the history is.
  await ledger.pool.query(
    `WITH RECURSIVE rotated (policy) AS (
       SELECT pg_catalog.min(policy) FROM keyturn.rotation
       UNION ALL
       SELECT (SELECT pg_catalog.min(policy) FROM keyturn.rotation WHERE policy > rotated.policy)
         FROM rotated WHERE rotated.policy IS NOT NULL)
     INSERT INTO keyturn.configured (policy, seen_at)
     SELECT policy, $1 FROM (
       SELECT policy FROM rotated UNION SELECT name FROM keyturn.policy
       UNION SELECT policy FROM keyturn.probe UNION SELECT policy FROM keyturn.provision) AS known
      WHERE policy IS NOT NULL ORDER BY policy
     ON CONFLICT DO NOTHING`,
    [nowOf(ledger)],
  );
}

/**
 * SQL that says whether a policy was removed long ago: nobody had it configured since `before`, and
 * nothing has happened to it since.
 */
export function isGone(policy: string, before: string): string {
  const none = (table: string, newer: string) =>
    `NOT EXISTS (SELECT FROM keyturn.${table} AS newer WHERE newer.policy = ${policy} AND ${newer})`;
  return `EXISTS (SELECT FROM keyturn.configured WHERE configured.policy = ${policy} AND seen_at < ${before})
      AND ${none('rotation', `newer.status = 'open'`)}
      AND ${none('rotation', `newer.finished_at >= ${before}`)}
      AND ${none('action', `newer.at >= ${before}`)} AND ${none('provision', `newer.at >= ${before}`)}`;
}
