import pMap from 'p-map';
import { backoff } from '../backoff.ts';
import type { Sink } from '../config/sink.ts';
import type { Fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import type { LeasedEvent } from '../ledger/outbox/deliveries.ts';
import type { Outbox } from '../ledger/outbox/outbox.ts';
import type { PolicyEvent } from '../ledger/outbox/policy-event.ts';
import type { Attempt } from './attempt.ts';
import { send } from './send.ts';
import { toldEvent } from './told-event.ts';

/** How many policies' events go to one sink at a time. */
const PARALLEL = 4;
/** How much longer than a delivery may take its event stays with one worker, in milliseconds. */
const LEASE_MARGIN_MS = 5_000;
/** After so long a job makes room for others, in milliseconds. */
const TURN_MS = 30_000;
/** The longest time between two tries of an event, in milliseconds. */
const LONGEST_RETRY_MS = 600_000;

/** What is said of the deliveries to a sink. */
export interface DeliveryLog {
  failed(failure: {
    readonly event: PolicyEvent;
    readonly fact: Fact;
    readonly isDead: boolean;
    /** Whether it failed for the first time. */
    readonly isNews: boolean;
  }): void;
  worksAgain(): void;
}

export interface DeliverParts {
  readonly outbox: Outbox;
  readonly log: DeliveryLog;
  /** Ends what is under way. Those events stay due. */
  readonly signal: AbortSignal;
}

/**
 * Delivers to one sink what is due: of each policy in order, the next event after the one before
 * was taken. Returns when somebody has to go on, in milliseconds since the epoch; undefined:
 * nothing is left.
 */
export async function deliverSink(sink: Sink, parts: DeliverParts): Promise<number | undefined> {
  const { outbox, signal } = parts;
  const lease = { forMs: sink.timeout + LEASE_MARGIN_MS, limit: PARALLEL };
  const end = performance.now() + TURN_MS;
  while (!signal.aborted && performance.now() < end) {
    const leased = await outbox.lease(sink.name, lease);
    if (leased.length === 0) break;
    await pMap(leased, (each) => deliver(sink, each, parts));
  }
  return (await outbox.due([sink.name])).get(sink.name);
}

async function deliver(
  sink: Sink,
  leased: LeasedEvent,
  { outbox, log, signal }: DeliverParts,
): Promise<void> {
  const { event, attempts, failures } = leased;
  let attempt: Attempt;
  try {
    attempt = await send(sink, toldEvent(event), signal);
  } catch (error) {
    // The worker is closing.
    if (signal.aborted) return outbox.giveBack(sink.name, leased);
    // The event cannot be told. It must not be due at once again, nor hold up those of others.
    attempt = { isDelivered: false, fact: factOf(error), isSinkAway: false };
  }
  if (attempt.isDelivered) {
    if (await outbox.delivered(sink.name, leased)) log.worksAgain();
    return;
  }
  const { fact, isSinkAway, isFinal = false, retryAfter = 0 } = attempt;
  const retryIn = Math.max(retryAfter, backoff(isSinkAway ? failures + 1 : attempts, LONGEST_RETRY_MS));
  const isDead = await outbox.failed(sink.name, leased, { fact, retryIn, isSinkAway, isDead: isFinal });
  log.failed({ event, fact, isDead, isNews: isSinkAway ? failures === 0 : attempts === 1 });
}
