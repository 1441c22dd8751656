import { prepared } from '../../postgres/connection/prepared.ts';
import type { LedgerContext } from '../ledger-context.ts';

/**
 * Which login each of these policies publishes, as far as the ledger knows. Left out: policies that
 * have published nothing yet, and those whose rotation is on its way back.
 */
export async function publishedLogins(
  { pool }: LedgerContext,
  policies: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ readonly policy: string; readonly login: string | null }>(
    prepared(
      `SELECT name AS policy, last.login FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name
        CROSS JOIN LATERAL (
          SELECT CASE WHEN rolled_back_to IS NULL THEN incoming
                      WHEN published_at IS NOT NULL THEN outgoing END AS login
            FROM keyturn.rotation
           WHERE policy = name AND (published_at IS NOT NULL OR rolled_back_to IS NOT NULL)
           ORDER BY number DESC LIMIT 1) AS last`,
      [policies],
    ),
  );
  return new Map(rows.flatMap(({ policy, login }) => (login === null ? [] : [[policy, login] as const])));
}
