import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Fact } from '../facts/fact.ts';
import { factOf, isFault } from '../facts/fault.ts';
import { isServerAway, isServerFull } from '../postgres/connection/database-error.ts';
import { isQueueAway } from './queue-fault.ts';

const PAUSE_MS = 1_000;

export interface Waiting {
  /** Ends the wait. */
  readonly stop: AbortSignal;
  /** Called when the reason for waiting changes. */
  readonly onReason: (reason: Fact) => void;
}

/**
 * Tries to reach a server until it answers; false when it was stopped before. Throws every fault
 * that does not pass by waiting.
 */
export async function untilReached(
  attempt: () => Promise<void>,
  { stop, onReason }: Waiting,
): Promise<boolean> {
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  let latest: Fact | undefined;
  while (!stop.aborted) {
    const outcome = await Promise.race([attempt().then(() => 'reached' as const, passing), stopped]);
    if (outcome === 'reached') return true;
    if (outcome === 'stopped') break;
    if (!isDeepStrictEqual(outcome, latest)) onReason(outcome);
    latest = outcome;
    await Promise.race([sleep(PAUSE_MS), stopped]);
  }
  return false;
}

/** The fact of a fault that may pass by itself; throws every other. */
function passing(error: unknown): Fact {
  const mayPass =
    isQueueAway(error) ||
    isServerAway(error) ||
    isServerFull(error) ||
    isFault(error, 'login-connection-limit-reached', 'database-connection-limit-reached');
  if (!mayPass) throw error;
  return factOf(error);
}
