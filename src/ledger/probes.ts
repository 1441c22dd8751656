import type { Fact } from '../facts/fact.ts';
import { prepared } from '../postgres/connection/prepared.ts';
import { factJson, readFact } from './fact-json.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';

/** What is known of a published credential that does not work. */
export interface Broken {
  readonly since: Date;
  readonly fact: Fact;
}

/** What is known of a policy after a probe, and whether that is news. */
export interface Recorded {
  readonly isBroken: boolean;
  readonly isNews: boolean;
}

/** After a first refusal the policy is probed again so soon, in milliseconds. */
const AGAIN_MS = 30_000;
/** So many refusals in a row are no accident. */
const REFUSALS = 2;

/** When policies are probed next, and which of them publish what does not work. */
export interface Probes {
  /** Adds policies, spread evenly over their intervals, and takes over changed intervals. */
  keep(intervals: ReadonlyMap<string, number>): Promise<void>;
  /**
   * Takes policies that are due, so that no other worker does. They are due again an interval
   * later.
   */
  claim(limit: number): Promise<readonly string[]>;
  /** Has policies probed in so many milliseconds; left out: with the next turn. */
  hurry(policies: readonly string[], when?: { readonly in: number }): Promise<void>;
  /** Records a probe that a server has answered. `refused`: why; left out: it works. */
  record(policy: string, refused?: Fact): Promise<Recorded>;
  /** Those of the policies that publish what does not work. */
  broken(policies: readonly string[]): Promise<Map<string, Broken>>;
}

export function probesIn(ledger: LedgerContext): Probes {
  return {
    keep: (intervals) => keep(ledger, intervals),
    claim: (limit) => claim(ledger, limit),
    hurry: (policies, when) => hurry(ledger, policies, when?.in ?? 0),
    record: (policy, refused) => record(ledger, policy, refused),
    broken: (policies) => broken(ledger, policies),
  };
}

async function keep(ledger: LedgerContext, intervals: ReadonlyMap<string, number>): Promise<void> {
  await ledger.pool.query(
    `INSERT INTO keyturn.probe (policy, every, next_at)
     SELECT given.policy, given.every,
            $3::pg_catalog.timestamptz + pg_catalog.random() * given.every * interval '1 millisecond'
       FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.int8[]))
            AS given (policy, every)
     ON CONFLICT (policy) DO UPDATE
        SET every = EXCLUDED.every, next_at = least(probe.next_at, EXCLUDED.next_at)
      WHERE probe.every <> EXCLUDED.every`,
    [[...intervals.keys()], [...intervals.values()], nowOf(ledger)],
  );
}

async function claim(ledger: LedgerContext, limit: number): Promise<readonly string[]> {
  const { rows } = await ledger.pool.query<{ readonly policy: string }>(
    prepared(
      `UPDATE keyturn.probe SET next_at = $1::pg_catalog.timestamptz + every * interval '1 millisecond'
        WHERE policy IN (
          SELECT due.policy FROM keyturn.probe AS due WHERE due.next_at <= $1
           ORDER BY due.next_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING policy`,
      [nowOf(ledger), limit],
    ),
  );
  return rows.map(({ policy }) => policy);
}

async function hurry(ledger: LedgerContext, policies: readonly string[], after: number): Promise<void> {
  if (policies.length === 0) return;
  await ledger.pool.query('UPDATE keyturn.probe SET next_at = $2 WHERE policy = ANY ($1) AND next_at > $2', [
    policies,
    new Date(nowOf(ledger).getTime() + after),
  ]);
}

async function record(ledger: LedgerContext, policy: string, refused?: Fact): Promise<Recorded> {
  const { rows } = await ledger.pool.query<Recorded>(
    prepared(refused ? REFUSED : WORKS, [policy, ...(refused ? [nowOf(ledger), factJson(refused)] : [])]),
  );
  return rows[0] ?? { isBroken: false, isNews: false };
}

const WORKS = `
  WITH before AS (SELECT broken_since FROM keyturn.probe WHERE policy = $1 FOR UPDATE),
  changed AS (
    UPDATE keyturn.probe SET refusals = 0, broken_since = NULL, fact = NULL WHERE policy = $1)
  SELECT false AS "isBroken", broken_since IS NOT NULL AS "isNews" FROM before`;

const REFUSED = `
  WITH before AS (SELECT broken_since FROM keyturn.probe WHERE policy = $1 FOR UPDATE),
  changed AS (
    UPDATE keyturn.probe
       SET refusals = refusals + 1, fact = $3::pg_catalog.jsonb,
           broken_since = CASE WHEN refusals + 1 >= ${REFUSALS} THEN coalesce(broken_since, $2::pg_catalog.timestamptz) END,
           next_at = least(next_at, $2::pg_catalog.timestamptz + interval '${AGAIN_MS} milliseconds')
     WHERE policy = $1 RETURNING broken_since)
  SELECT changed.broken_since IS NOT NULL AS "isBroken",
         before.broken_since IS NULL AND changed.broken_since IS NOT NULL AS "isNews"
    FROM before CROSS JOIN changed`;

async function broken({ pool }: LedgerContext, policies: readonly string[]): Promise<Map<string, Broken>> {
  const { rows } = await pool.query<{
    readonly policy: string;
    readonly since: Date;
    readonly fact: unknown;
  }>(
    `SELECT policy, broken_since AS since, fact FROM keyturn.probe
      WHERE policy = ANY ($1) AND broken_since IS NOT NULL`,
    [policies],
  );
  return new Map(
    rows.flatMap(({ policy, since, fact }) => {
      const why = readFact(fact, null);
      return why ? [[policy, { since, fact: why }] as const] : [];
    }),
  );
}
