import type { Fact } from '../../facts/fact.ts';
import { prepared } from '../../postgres/connection/prepared.ts';
import { factJson } from '../fact-json.ts';
import { type LedgerContext, nowOf } from '../ledger-context.ts';
import { EVENT_COLUMNS, type EventRow, type PolicyEvent, toEvent } from './policy-event.ts';

/** How long an event is tried, in milliseconds. Then it is a dead letter. */
const TRIED_FOR_MS = 3 * 24 * 3_600_000;
/** Nobody waits for longer: what lies further in the future was written by a wrong clock. */
const LONGEST_WAIT_MS = 2 * 3_600_000;

/** An event that a worker is about to deliver. Until the lease is over no other worker does. */
export interface LeasedEvent {
  readonly event: PolicyEvent;
  /** How often it was tried, this time included. */
  readonly attempts: number;
  /** How often the sink was away in a row. */
  readonly failures: number;
}

/** Why an event was not delivered, and what follows. */
export interface FailedDelivery {
  readonly fact: Fact;
  /** When to try this event again, in milliseconds. */
  readonly retryIn: number;
  /** Whether the sink itself is away: then nothing is sent to it meanwhile. */
  readonly isSinkAway: boolean;
  /** Whether it is not tried again. */
  readonly isDead: boolean;
}

/** Whether an instant has come, in SQL. `$1` is now, `$2` the latest that anybody waits for. */
function hasCome(instant: string): string {
  return `(${instant} <= $1::pg_catalog.timestamptz OR ${instant} > $2::pg_catalog.timestamptz)`;
}

/** The first event of each policy that waits for a sink, in SQL: an index probe for each policy. */
function heads(sink: string): string {
  const next = (beyond: string) =>
    `SELECT policy, event, next_at FROM keyturn.delivery
      WHERE delivery.sink = ${sink} AND status = 'pending' ${beyond} ORDER BY policy, event LIMIT 1`;
  return `WITH RECURSIVE head AS (
      (${next('')})
      UNION ALL
      SELECT following.* FROM head CROSS JOIN LATERAL (${next('AND delivery.policy > head.policy')}) AS following)
    SELECT * FROM head`;
}

function instants(ledger: LedgerContext): readonly [Date, Date] {
  const now = nowOf(ledger);
  return [now, new Date(now.getTime() + LONGEST_WAIT_MS)];
}

/**
 * When somebody has to deliver to each of these sinks, in milliseconds since the epoch; those to
 * which nothing is to be delivered are left out.
 */
export async function dueSinks(
  ledger: LedgerContext,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await ledger.pool.query<{ readonly name: string; readonly at: number }>(
    prepared(
      `SELECT sink.name, pg_catalog.date_part('epoch'::pg_catalog.text, pg_catalog.min(greatest(
                CASE WHEN ${hasCome('sink.rests_until')} THEN $1 ELSE sink.rests_until END,
                CASE WHEN ${hasCome('head.next_at')} THEN $1 ELSE head.next_at END)))
                OPERATOR(pg_catalog.*) 1000::pg_catalog.float8 AS at
         FROM keyturn.sink CROSS JOIN LATERAL (${heads('sink.name')}) AS head
        WHERE sink.name = ANY ($3::pg_catalog.text[]) GROUP BY sink.name`,
      [...instants(ledger), names],
    ),
  );
  return new Map(rows.map(({ name, at }) => [name, at]));
}

/**
 * Takes the first event of some policies, so that no other worker delivers it for `forMs`
 * milliseconds. Later events of these policies wait. The oldest come first.
 */
export async function leaseEvents(
  ledger: LedgerContext,
  sink: string,
  { forMs, limit }: { readonly forMs: number; readonly limit: number },
): Promise<LeasedEvent[]> {
  const [now, latest] = instants(ledger);
  const { rows } = await ledger.pool.query<
    EventRow & { readonly attempts: number; readonly failures: number }
  >(
    prepared(
      `WITH due AS MATERIALIZED (
         SELECT head.event, head.next_at, sink.failures
           FROM keyturn.sink CROSS JOIN LATERAL (${heads('sink.name')}) AS head
          WHERE sink.name = $3 AND ${hasCome('sink.rests_until')} AND ${hasCome('head.next_at')}
          ORDER BY head.event LIMIT $4),
       leased AS (
         UPDATE keyturn.delivery SET next_at = $5, attempts = attempts + 1 FROM due
          WHERE delivery.sink = $3 AND delivery.event = due.event AND delivery.status = 'pending'
            AND delivery.next_at = due.next_at
         RETURNING delivery.event, delivery.attempts, due.failures)
       SELECT ${EVENT_COLUMNS}, leased.attempts, leased.failures
         FROM leased JOIN keyturn.policy_event AS event ON event.number = leased.event ORDER BY event.number`,
      [now, latest, sink, limit, new Date(now.getTime() + forMs)],
    ),
  );
  return rows.map(({ attempts, failures, ...row }) => ({
    event: toEvent(row as EventRow),
    attempts,
    failures,
  }));
}

/** Records that a sink has taken an event. Returns whether the sink was away before. */
export async function recordDelivered(ledger: LedgerContext, sink: string, number: string): Promise<boolean> {
  const { rows } = await ledger.pool.query<{ readonly name: string }>(
    prepared(
      `WITH delivered AS (
         UPDATE keyturn.delivery SET status = 'delivered', finished_at = $3, fact = NULL
          WHERE sink = $1 AND event = $2 AND status = 'pending')
       UPDATE keyturn.sink SET failures = 0, rests_until = '-infinity'::pg_catalog.timestamptz
        WHERE name = $1 AND failures > 0 RETURNING name`,
      [sink, number, nowOf(ledger)],
    ),
  );
  return rows.length > 0;
}

/**
 * Records that a sink has not taken an event. One that was tried for days is a dead letter, and so
 * are those of its policy that waited as long. Returns whether it is one.
 */
export async function recordFailed(
  ledger: LedgerContext,
  sink: string,
  { event, failures }: LeasedEvent,
  { fact, retryIn, isSinkAway, isDead }: FailedDelivery,
): Promise<boolean> {
  const now = nowOf(ledger);
  const retryAt = new Date(now.getTime() + retryIn);
  const { rows } = await ledger.pool.query<{ readonly isDead: boolean }>(
    prepared(
      `WITH away AS (
         UPDATE keyturn.sink SET failures = greatest(failures, $8), rests_until = $5 WHERE name = $1 AND $7),
       failed AS (
         UPDATE keyturn.delivery
            SET fact = $4::pg_catalog.jsonb, next_at = $5,
                status = CASE WHEN since < $6 OR event = $2 AND $9 THEN 'dead' ELSE 'pending' END,
                finished_at = CASE WHEN since < $6 OR event = $2 AND $9 THEN $3::pg_catalog.timestamptz END
          WHERE sink = $1 AND policy = $10 AND status = 'pending' AND (event = $2 OR since < $6)
         RETURNING event, status)
       SELECT status = 'dead' AS "isDead" FROM failed WHERE event = $2`,
      [
        ...[sink, event.number, now, factJson(fact), retryAt, new Date(now.getTime() - TRIED_FOR_MS)],
        ...[isSinkAway, failures + 1, isDead, event.policy],
      ],
    ),
  );
  return rows[0]?.isDead ?? false;
}

/** Gives a lease back: the event is due at once. */
export async function giveBack(ledger: LedgerContext, sink: string, number: string): Promise<void> {
  await ledger.pool.query(
    `UPDATE keyturn.delivery SET next_at = '-infinity'::pg_catalog.timestamptz
      WHERE sink = $1 AND event = $2 AND status = 'pending'`,
    [sink, number],
  );
}
