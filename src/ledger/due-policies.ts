import { latestTolerated } from './future.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';

/**
 * The longest time for which nobody looks at a policy, in milliseconds. Whatever is wrong with an
 * entry of the index heals within it.
 */
export const LONGEST_REST_MS = 6 * 3_600_000;
/** An entry that is due for so long is of a schedule that no worker has any more; milliseconds. */
const ABANDONED_MS = 3_600_000;
/** More entries than a fleet has are left for the next sweep. */
const LIMIT = 250_000;

/**
 * An entry of the index of what is due: a policy, by one schedule. While workers have different
 * configurations, a policy has an entry for each schedule, and each worker goes by its own.
 */
export interface DuePolicy {
  readonly policy: string;
  /** The fingerprint of the schedule. */
  readonly schedule: string;
  /** Counts what has changed about the policy since. */
  readonly changes: string;
  /** Whether it is due for so long that no worker can have its schedule. */
  readonly isAbandoned: boolean;
}

/** What somebody who looked at a due policy found. */
export interface SettledPolicy extends Pick<DuePolicy, 'policy' | 'schedule' | 'changes'> {
  /** When to look again. */
  readonly dueAt: Date;
  /** The next slot of the schedule; null if there is none. */
  readonly slot: Date | null;
}

/** The next slot of a policy, by one schedule. */
export interface PolicySlot {
  readonly policy: string;
  readonly schedule: string;
  readonly slot: Date;
}

/** Adds these policies to the index, each by its schedule. New ones are due at once. */
export async function keepDue(ledger: LedgerContext, policies: ReadonlyMap<string, string>): Promise<void> {
  // In one order, so that two workers do not wait for each other.
  await ledger.pool.query(
    `INSERT INTO keyturn.due (policy, schedule, next_due_at)
     SELECT policy, schedule, $3
       FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
              AS asked (policy, schedule)
      WHERE NOT EXISTS (SELECT FROM keyturn.due AS known
                         WHERE known.policy = asked.policy AND known.schedule = asked.schedule)
      ORDER BY policy, schedule
     ON CONFLICT DO NOTHING`,
    [[...policies.keys()], [...policies.values()], nowOf(ledger)],
  );
}

/**
 * What somebody has to look at now: by an index, so that it costs nothing to have many policies. An
 * entry that lies further in the future than any may was made by a wrong clock or by hand, and is
 * due.
 */
export async function readDue(ledger: LedgerContext): Promise<DuePolicy[]> {
  const now = nowOf(ledger);
  const entry = `policy, schedule, changes::pg_catalog.text AS changes`;
  const { rows } = await ledger.pool.query<DuePolicy>(
    `(SELECT ${entry}, next_due_at < $3 AS "isAbandoned" FROM keyturn.due
       WHERE next_due_at <= $1 ORDER BY next_due_at LIMIT ${LIMIT})
     UNION ALL
     (SELECT ${entry}, false FROM keyturn.due WHERE next_due_at > $2 LIMIT ${LIMIT})`,
    [now, latestTolerated(new Date(now.getTime() + LONGEST_REST_MS)), new Date(now.getTime() - ABANDONED_MS)],
  );
  return rows;
}

/**
 * Says when to look at policies again. An entry of which something has changed since it was read
 * stays due.
 */
export async function settleDue({ pool }: LedgerContext, settled: readonly SettledPolicy[]): Promise<void> {
  // Rows are locked in one order, so that two workers do not wait for each other.
  await pool.query(
    `WITH found AS MATERIALIZED (
       SELECT kept.policy, kept.schedule, given.next_due_at, given.slot
         FROM keyturn.due AS kept
         JOIN ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
                pg_catalog.unnest($3::pg_catalog.int8[]), pg_catalog.unnest($4::pg_catalog.timestamptz[]),
                pg_catalog.unnest($5::pg_catalog.timestamptz[]))
              AS given (policy, schedule, changes, next_due_at, slot)
           ON kept.policy = given.policy AND kept.schedule = given.schedule AND kept.changes = given.changes
        ORDER BY kept.policy, kept.schedule FOR UPDATE OF kept)
     UPDATE keyturn.due AS kept SET next_due_at = found.next_due_at, slot = found.slot
       FROM found WHERE kept.policy = found.policy AND kept.schedule = found.schedule`,
    [
      settled.map(({ policy }) => policy),
      settled.map(({ schedule }) => schedule),
      settled.map(({ changes }) => changes),
      settled.map(({ dueAt }) => dueAt),
      settled.map(({ slot }) => slot),
    ],
  );
}

/** Removes entries, unless something has changed about them since they were read. */
export async function forgetDue({ pool }: LedgerContext, entries: readonly DuePolicy[]): Promise<void> {
  await pool.query(
    `DELETE FROM keyturn.due AS kept
      USING ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
              pg_catalog.unnest($3::pg_catalog.int8[]))
            AS given (policy, schedule, changes)
      WHERE kept.policy = given.policy AND kept.schedule = given.schedule AND kept.changes = given.changes`,
    [
      entries.map(({ policy }) => policy),
      entries.map(({ schedule }) => schedule),
      entries.map(({ changes }) => changes),
    ],
  );
}

/** The next slot of every policy that has one, by each of its schedules. */
export async function readSlots({ pool }: LedgerContext): Promise<PolicySlot[]> {
  const { rows } = await pool.query<PolicySlot>(
    'SELECT policy, schedule, slot FROM keyturn.due WHERE pg_catalog.isfinite(slot)',
  );
  return rows;
}
