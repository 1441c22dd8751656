import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { QueueError } from './queue-error.ts';

const PAUSE_MS = 1_000;

export interface Waiting {
  /** Ends the wait. */
  readonly stop: AbortSignal;
  /** Gets what is waited for, whenever that is another thing. */
  readonly say: (fault: string) => void;
}

/**
 * Tries to reach a server until it answers; false when it was stopped before. Throws every fault that waiting does not
 * mend.
 */
export async function untilReached(attempt: () => Promise<void>, { stop, say }: Waiting): Promise<boolean> {
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  let said = '';
  while (!stop.aborted) {
    const outcome = await Promise.race([attempt().then(() => 'reached', passing), stopped]);
    if (outcome === 'reached') return true;
    if (outcome === 'stopped') break;
    if (outcome !== said) say(outcome);
    said = outcome;
    await Promise.race([sleep(PAUSE_MS), stopped]);
  }
  return false;
}

/** The message of a fault that may pass by itself. */
function passing(error: unknown): string {
  const known = error instanceof QueueError || error instanceof DatabaseError;
  if (!known || !['unreachable', 'full'].includes(error.kind)) throw error;
  return error.message;
}
