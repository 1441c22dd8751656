import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../../app.ts';
import { rotate } from '../../../rotation/rotate.ts';

/**
 * Runs a rotation to its end in this process, and then the rotation that replaces it, if any. If it
 * is interrupted, the next worker continues what is left open.
 */
export async function rotateHere(app: App, rotation: string, signal: AbortSignal): Promise<void> {
  const ledger = await app.ledger();
  for (;;) {
    const now = await ledger.find(rotation);
    if (now?.status !== 'open' || signal.aborted) return;
    await using context = await app.run(now);
    const outcome = await rotate(context);
    if (outcome.status === 'failed' && outcome.replacedBy) {
      await rotateHere(app, outcome.replacedBy.id, signal);
    }
    if (!('until' in outcome)) return;
    await sleepUntil(app, outcome.until, signal);
  }
}

/**
 * Sleeps are short, because timers stop while the machine sleeps, and the clock may be corrected.
 */
const NAP_MS = 15_000;

async function sleepUntil({ clock }: App, until: number, signal: AbortSignal): Promise<void> {
  for (let left = until - clock.now(); left > 0 && !signal.aborted; left = until - clock.now()) {
    await sleep(Math.min(left, NAP_MS), undefined, { signal }).catch(() => {});
  }
}
