import { DelayedError } from 'bullmq';
import type { Logger } from 'pino';
import type { Clock } from '../src/clock.ts';
import type { Sink } from '../src/config/sink.ts';
import { type DeliveryLog, deliverSink } from '../src/events/deliver-sink.ts';
import { fact } from '../src/facts/fact.ts';
import type { Outbox } from '../src/ledger/outbox/outbox.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { QueueJob } from '../src/queue/job.ts';
import { toQueueTime } from '../src/queue/queue-time.ts';

/** The least time after which a job looks again, in milliseconds. */
const LEAST_DELAY_MS = 50;

export interface DeliverJobParts {
  readonly outbox: Outbox;
  readonly log: Logger;
  readonly clock: Clock;
  /** The sinks that are configured. */
  readonly sinks: () => ReadonlyMap<string, Sink>;
  readonly signal: AbortSignal;
}

/** Delivers to one sink what is due, then delays the job until something is due again. */
export function deliverJob({ outbox, log, clock, sinks, signal }: DeliverJobParts) {
  return async (job: QueueJob, token: string): Promise<void> => {
    const sink = sinks().get(job.data.sink ?? '');
    // A worker that has it looks for what is due, too.
    if (!sink) return;
    const due = await deliverSink(sink, { outbox, log: deliveryLog(log, sink.name), signal });
    if (due === undefined) return;
    await job.moveToDelayed(toQueueTime(Math.max(due, clock.now() + LEAST_DELAY_MS), clock), token);
    throw new DelayedError();
  };
}

function deliveryLog(log: Logger, sink: string): DeliveryLog {
  return {
    failed({ event: { id: event, type, policy }, fact: cause, isDead, isNews }) {
      const code = isDead ? 'event-dead' : 'event-not-delivered';
      logFact(log, isDead || isNews ? 'error' : 'debug', fact(code, { sink, type, event, cause }), {
        policy,
      });
    },
    worksAgain: () => logFact(log, 'info', fact('sink-works-again', { sink })),
  };
}
