import { type LedgerContext, nowOf } from '../ledger-context.ts';
import {
  dueSinks,
  type FailedDelivery,
  giveBack,
  type LeasedEvent,
  leaseEvents,
  recordDelivered,
  recordFailed,
} from './deliveries.ts';
import {
  type DeliveredEvent,
  type EventQuery,
  latestEvents,
  type Redelivery,
  redeliver,
} from './read-events.ts';
import { forgetSinks, keepSinks, type SinkFilter } from './sinks.ts';

/**
 * Events, and what each sink still has to hear. Events are written by the statement that makes them
 * true (migrations/events.ts), and so are the deliveries that they need.
 */
export interface Outbox {
  /** Registers sinks: what happens from now on is for them, too. */
  keepSinks(sinks: readonly SinkFilter[]): Promise<void>;
  /** Forgets sinks that no worker has had for a day, and what waits for them. */
  forgetSinks(): Promise<void>;
  /**
   * When somebody has to deliver to each of these sinks, in milliseconds since the epoch. Those to
   * which nothing is to be delivered are left out.
   */
  due(sinks: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Takes the first event of each policy that is due, for some time. */
  lease(
    sink: string,
    lease: { readonly forMs: number; readonly limit: number },
  ): Promise<readonly LeasedEvent[]>;
  /** Records that a sink has taken an event. Returns whether the sink was away before. */
  delivered(sink: string, leased: LeasedEvent): Promise<boolean>;
  /** Records that a sink has not taken an event. Returns whether it is a dead letter now. */
  failed(sink: string, leased: LeasedEvent, failure: FailedDelivery): Promise<boolean>;
  /** Gives a lease back: the event is due at once. */
  giveBack(sink: string, leased: LeasedEvent): Promise<void>;
  /** Tells that nobody has acted on a slot, once for each slot; not while a rotation is open. */
  overdue(policy: string, slot: Date): Promise<void>;
  /** The latest events, newest first, with their deliveries. */
  latest(query: EventQuery): Promise<readonly DeliveredEvent[]>;
  /** Sends events to sinks again. Returns how many deliveries are due now. */
  redeliver(which: Redelivery, sinks: readonly string[]): Promise<number>;
}

export function outboxIn(ledger: LedgerContext): Outbox {
  return {
    keepSinks: (sinks) => keepSinks(ledger, sinks),
    forgetSinks: () => forgetSinks(ledger),
    due: (sinks) => dueSinks(ledger, sinks),
    lease: (sink, lease) => leaseEvents(ledger, sink, lease),
    delivered: (sink, { event }) => recordDelivered(ledger, sink, event.number),
    failed: (sink, leased, failure) => recordFailed(ledger, sink, leased, failure),
    giveBack: (sink, { event }) => giveBack(ledger, sink, event.number),
    overdue: (policy, slot) => tellOverdue(ledger, policy, slot),
    latest: (query) => latestEvents(ledger, query),
    redeliver: (which, sinks) => redeliver(ledger, which, sinks),
  };
}

async function tellOverdue(ledger: LedgerContext, policy: string, slot: Date): Promise<void> {
  const fact = { code: 'rotation-overdue', params: { slot: slot.toISOString() } };
  await ledger.pool.query(
    `INSERT INTO keyturn.policy_event (type, policy, slot, at, fact)
     SELECT 'rotation.overdue', $1::pg_catalog.text, $2, $3, $4::pg_catalog.jsonb
      WHERE NOT EXISTS (SELECT FROM keyturn.rotation WHERE policy = $1 AND status = 'open')
     ON CONFLICT (policy, slot) WHERE type = 'rotation.overdue' DO NOTHING`,
    [policy, slot, nowOf(ledger), JSON.stringify(fact)],
  );
}
