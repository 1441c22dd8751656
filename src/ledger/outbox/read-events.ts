import type { Fact } from '../../facts/fact.ts';
import { readFact } from '../fact-json.ts';
import { type LedgerContext, nowOf } from '../ledger-context.ts';
import { EVENT_COLUMNS, type EventRow, type PolicyEvent, toEvent } from './policy-event.ts';

/** What has become of an event at one sink. */
export interface Delivery {
  readonly sink: string;
  readonly status: 'pending' | 'delivered' | 'dead';
  readonly attempts: number;
  /** When it was delivered or given up. */
  readonly finishedAt: Date | null;
  /** Why it was not delivered the last time. */
  readonly fact: Fact | null;
}

export interface DeliveredEvent extends PolicyEvent {
  readonly deliveries: readonly Delivery[];
}

export interface EventQuery {
  readonly policy?: string;
  readonly since?: Date;
  /** Only those that are dead letters of some sink. */
  readonly isDead?: boolean;
  readonly limit: number;
}

interface DeliveryJson extends Omit<Delivery, 'finishedAt' | 'fact'> {
  readonly finishedAt: string | null;
  readonly fact: unknown;
}

/** The latest events, newest first, each with its deliveries. */
export async function latestEvents(
  { pool }: LedgerContext,
  { policy, since, isDead = false, limit }: EventQuery,
): Promise<DeliveredEvent[]> {
  const { rows } = await pool.query<EventRow & { readonly deliveries: readonly DeliveryJson[] }>(
    `SELECT ${EVENT_COLUMNS}, coalesce((
              SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                       'sink', sink, 'status', status, 'attempts', attempts, 'finishedAt', finished_at, 'fact', fact)
                     ORDER BY sink)
                FROM keyturn.delivery WHERE delivery.event = event.number), '[]'::pg_catalog.jsonb) AS deliveries
       FROM keyturn.policy_event AS event
      WHERE ($1::pg_catalog.text IS NULL OR event.policy = $1)
        AND ($2::pg_catalog.timestamptz IS NULL OR event.at >= $2)
        AND (NOT $3::boolean OR event.number IN (SELECT event FROM keyturn.delivery WHERE status = 'dead'))
      ORDER BY event.number DESC LIMIT $4`,
    [policy ?? null, since ?? null, isDead, limit],
  );
  return rows.map(({ deliveries, ...row }) => ({
    ...toEvent(row as EventRow),
    deliveries: deliveries.map(({ finishedAt, fact, ...rest }) => ({
      ...rest,
      finishedAt: finishedAt === null ? null : new Date(finishedAt),
      fact: readFact(fact, null),
    })),
  }));
}

/** Which events are sent again: these, or all dead letters. */
export type Redelivery = { readonly ids: readonly string[] } | { readonly dead: true };

/**
 * Sends events again to those of the sinks that they are for, whether they were delivered or not.
 * Returns how many deliveries are due now.
 */
export async function redeliver(
  ledger: LedgerContext,
  which: Redelivery,
  sinks: readonly string[],
): Promise<number> {
  const anew = `status = 'pending', attempts = 0, since = $2, next_at = '-infinity'::pg_catalog.timestamptz,
                finished_at = NULL, fact = NULL`;
  if ('dead' in which) {
    const { rowCount } = await ledger.pool.query(
      `UPDATE keyturn.delivery SET ${anew} WHERE status = 'dead' AND sink = ANY ($1::pg_catalog.text[])`,
      [sinks, nowOf(ledger)],
    );
    return rowCount ?? 0;
  }
  const { rowCount } = await ledger.pool.query(
    `INSERT INTO keyturn.delivery (sink, event, policy, since)
     SELECT sink.name, event.number, event.policy, $2
       FROM keyturn.policy_event AS event JOIN keyturn.sink ON sink.name = ANY ($1::pg_catalog.text[])
        AND (sink.policies IS NULL OR event.policy = ANY (sink.policies))
        AND (sink.types IS NULL OR event.type = ANY (sink.types))
      WHERE event.id = ANY ($3::pg_catalog.uuid[])
      ORDER BY event.number, sink.name
     ON CONFLICT (event, sink) DO UPDATE SET ${anew}`,
    [sinks, nowOf(ledger), which.ids],
  );
  return rowCount ?? 0;
}
