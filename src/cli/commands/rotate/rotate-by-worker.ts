import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../../app.ts';
import type { Rotation } from '../../../ledger/rotation.ts';
import { rotateHere } from './rotate-here.ts';

/** If the history has nothing new for this long, this process runs the rotation itself. */
const SILENCE_MS = 10_000;
const POLL_MS = 500;

/**
 * Has a worker run a rotation, and runs it here if no worker does: a queue may refuse jobs, or hand
 * none out, while its workers are still connected. Two processes may run the same rotation at once,
 * because each step is safe for that.
 */
export async function rotateByWorker(app: App, rotation: Rotation, signal: AbortSignal): Promise<void> {
  const [ledger, queue] = await Promise.all([app.ledger(), app.queue()]);
  const refused = await queue.enqueue(rotation).then(
    () => false,
    () => true,
  );
  let known = -1;
  let since = performance.now();
  while (!refused && !signal.aborted) {
    if ((await ledger.find(rotation.id))?.status !== 'open') return;
    const { length } = await ledger.events([rotation.id]);
    if (length !== known) since = performance.now();
    else if (performance.now() - since > SILENCE_MS) break;
    known = length;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  await rotateHere(app, rotation.id, signal);
}
