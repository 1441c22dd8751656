import { reseePolicies } from './future.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import { readTimings, type Timing } from './timing.ts';

export async function timingOf(ledger: LedgerContext, policy: string): Promise<Timing> {
  const timing = (await readTimings(ledger.pool, [policy], nowOf(ledger))).get(policy);
  if (!timing) throw new Error(`The ledger lost sight of the policy ${policy}`);
  return timing;
}

/** Records that a worker has these policies, and since when: the first instant stays. */
export async function see(ledger: LedgerContext, policies: readonly string[]): Promise<void> {
  await reseePolicies(ledger.pool, policies, nowOf(ledger));
  await ledger.pool.query(
    `INSERT INTO keyturn.policy (name, first_seen_at)
     SELECT name, $2 FROM pg_catalog.unnest($1::pg_catalog.text[]) AS seen (name)
      WHERE NOT EXISTS (SELECT FROM keyturn.policy AS known WHERE known.name = seen.name) ORDER BY name
     ON CONFLICT DO NOTHING`,
    [policies, nowOf(ledger)],
  );
}

export async function pause(ledger: LedgerContext, policy: string, by: string): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    `INSERT INTO keyturn.policy (name, first_seen_at, paused_at, paused_by) VALUES ($1, $2, $2, $3)
     ON CONFLICT (name) DO UPDATE SET paused_at = $2, paused_by = $3 WHERE policy.paused_at IS NULL`,
    [policy, nowOf(ledger), by],
  );
  return rowCount === 1;
}

export async function resume({ pool }: LedgerContext, policy: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'UPDATE keyturn.policy SET paused_at = NULL, paused_by = NULL WHERE name = $1 AND paused_at IS NOT NULL',
    [policy],
  );
  return rowCount === 1;
}
