import { setTimeout as sleep } from 'node:timers/promises';
import type { Victims } from './faults.ts';
import type { LedgerView, OpenRotation } from './ledger-view.ts';
import type { Random } from './random.ts';

const TRIES = 40;
const PATIENCE_MS = 75_000;

/**
 * Stops a worker within a rotation that has not published, until others have ended that rotation and the login that it
 * brought in is on its way out again: then it wakes up. Where none is caught so, it is stopped for as long all the same.
 */
export async function stopAcrossRotations(
  { crew, ledger, tally, signal }: Victims,
  random: Random,
): Promise<boolean> {
  using post = crew.borrow(random);
  const worker = post?.worker;
  if (!worker) return false;
  let caught: OpenRotation | undefined;
  try {
    for (let attempt = 0; attempt < TRIES && !caught && !signal.aborted; attempt += 1) {
      if (worker.hasEnded()) return false;
      process.kill(worker.pid, 'SIGCONT');
      await sleep(random.between(30, 300));
      process.kill(worker.pid, 'SIGSTOP');
      caught = await caughtIn(ledger);
    }
    tally.note(
      `a worker is stopped in ${caught ? `${caught.lastStep} of ${caught.policy}, ${caught.id}` : 'nothing'}`,
    );
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end && !signal.aborted && !(caught && (await goesOut(ledger, caught)))) {
      await sleep(100);
    }
  } finally {
    if (!worker.hasEnded()) process.kill(worker.pid, 'SIGCONT');
  }
  tally.note(`the worker that was stopped goes on`);
  return true;
}

const EARLY = ['check', 'stage', 'set', 'verify'];

/** A rotation that stands in a step before publish, presumably because its worker was stopped. */
async function caughtIn(ledger: LedgerView): Promise<OpenRotation | undefined> {
  const stands = async () =>
    (await ledger.open()).filter(
      ({ lastStep, lastKind }) => lastKind === 'started' && EARLY.includes(lastStep ?? ''),
    );
  const before = await stands();
  if (before.length === 0) return undefined;
  await sleep(500);
  const after = await stands();
  return before.find(({ lastEvent }) => after.some((one) => one.lastEvent === lastEvent));
}

/** Whether the login that a rotation brought in is being drained by a later one. */
async function goesOut(ledger: LedgerView, { id, policy }: OpenRotation): Promise<boolean> {
  const rows = await ledger.ask(
    `SELECT FROM keyturn.rotation AS was JOIN keyturn.rotation AS later ON later.policy = was.policy
      WHERE was.id = $1 AND was.status <> 'open' AND later.policy = $2 AND later.status = 'open'
        AND later.outgoing = was.incoming AND later.published_at IS NOT NULL AND later.rolled_back_by IS NULL`,
    [id, policy],
  );
  return (rows ?? []).length > 0;
}
