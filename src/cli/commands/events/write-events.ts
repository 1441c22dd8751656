import { toldEvent } from '../../../events/told-event.ts';
import type { DeliveredEvent, Delivery } from '../../../ledger/outbox/read-events.ts';
import { tell, textOf } from '../../../messages/tell.ts';
import type { Io } from '../../io.ts';
import { factJson } from '../../output/fact-json.ts';
import { writeTable } from '../../output/table.ts';

/** What happened, newest first; and below the table why sinks have not taken it. */
export function writeEvents(io: Io, events: readonly DeliveredEvent[]): void {
  writeTable(
    io,
    ['at', 'policy', 'type', 'sinks', 'message'],
    events.map(({ at, policy, type, deliveries, fact }) => [
      at.toISOString(),
      policy,
      type,
      deliveries.map(({ sink, status }) => `${sink}: ${status}`).join(', ') || '-',
      textOf(fact),
    ]),
  );
  for (const { id, type, deliveries } of events) {
    for (const { sink, status, fact } of deliveries) {
      if (fact) io.stdout.write(`${id}: ${type} is ${status} for ${sink}: ${tell(fact)}`);
    }
  }
}

/** An event as `--json` prints it: what sinks get, and what they did with it. */
export function eventJson({ deliveries, ...event }: DeliveredEvent) {
  const { data, ...told } = toldEvent(event);
  return { ...told, ...data, deliveries: deliveries.map(deliveryJson) };
}

function deliveryJson({ fact, finishedAt, ...delivery }: Delivery) {
  return {
    ...delivery,
    finishedAt: finishedAt?.toISOString() ?? null,
    error: fact && tell(fact),
    fault: fact && factJson(fact),
  };
}
