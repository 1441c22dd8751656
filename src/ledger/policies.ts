import { actionDone } from './audit/actions.ts';
import { type Requester, requesterValues } from './audit/requester.ts';
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

/** The parameters of who does something about a policy. The first is its name. */
const DONE_NOW = { now: '$2', who: ['$3', '$4', '$5'] };
const CHANGED = 'SELECT name AS policy, NULL::pg_catalog.uuid AS rotation FROM changed';

export async function pause(ledger: LedgerContext, policy: string, requester: Requester): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    `WITH changed AS (
       INSERT INTO keyturn.policy (name, first_seen_at, paused_at, paused_by, paused_host, paused_reason)
       VALUES ($1, $2, $2, $3, $4, $5)
       ON CONFLICT (name) DO UPDATE
          SET paused_at = EXCLUDED.paused_at, paused_by = EXCLUDED.paused_by,
              paused_host = EXCLUDED.paused_host, paused_reason = EXCLUDED.paused_reason
        WHERE policy.paused_at IS NULL
       RETURNING name),
     told AS (${actionDone('pause', CHANGED, DONE_NOW)})
     SELECT name FROM changed`,
    [policy, nowOf(ledger), ...requesterValues(requester)],
  );
  return rowCount === 1;
}

export async function resume(ledger: LedgerContext, policy: string, requester: Requester): Promise<boolean> {
  const { rowCount } = await ledger.pool.query(
    `WITH changed AS (
       UPDATE keyturn.policy SET paused_at = NULL, paused_by = NULL, paused_host = NULL, paused_reason = NULL
        WHERE name = $1 AND paused_at IS NOT NULL RETURNING name),
     told AS (${actionDone('resume', CHANGED, DONE_NOW)})
     SELECT name FROM changed`,
    [policy, nowOf(ledger), ...requesterValues(requester)],
  );
  return rowCount === 1;
}
