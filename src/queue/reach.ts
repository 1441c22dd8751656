import pTimeout from 'p-timeout';
import type { Fault } from '../facts/fault.ts';

/**
 * How long a queue may take to be reached; BullMQ itself would wait for ever, and a command with
 * it.
 */
const PATIENCE_MS = 5_000;

/** What queue and worker of BullMQ have in common here. */
interface Client {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
}

/** A client of BullMQ, with the latest error that it reported. */
export interface Reachable {
  readonly client: Client;
  readonly latest: () => Error | undefined;
}

/**
 * Listens to a client's errors and reports them when they change: it tries again every second, and
 * once is enough to know. Only messages are reported: a Redis error also carries the command it
 * answers, an AUTH with its password too.
 */
export function listenTo(client: Client, onError: (error: Error) => void): Reachable {
  let latest: Error | undefined;
  client.on('error', (error) => {
    if (error.message !== latest?.message) onError(error);
    latest = error;
  });
  return { client, latest: () => latest };
}

/**
 * Waits until a client is connected, in bounded time; throws what `late` makes of its latest error.
 */
export async function untilReady(
  { client, latest }: Reachable,
  late: (error: Error | undefined) => Fault,
): Promise<void> {
  await pTimeout(client.waitUntilReady(), {
    milliseconds: PATIENCE_MS,
    fallback: () => {
      throw late(latest());
    },
  });
}

/** Whether a queue answers still, in bounded time. */
export async function stillAnswers(queue: { count(): Promise<unknown> }): Promise<boolean> {
  const asked = queue.count().then(
    () => true,
    () => false,
  );
  return pTimeout(asked, { milliseconds: PATIENCE_MS, fallback: () => false });
}
