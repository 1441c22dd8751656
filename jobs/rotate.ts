import { DelayedError } from 'bullmq';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../src/clock.ts';
import { fact } from '../src/facts/fact.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import type { Rotation } from '../src/ledger/rotation.ts';
import { logFact } from '../src/messages/log-fact.ts';
import { tellError } from '../src/messages/tell.ts';
import type { QueueJob } from '../src/queue/job.ts';
import { toQueueTime } from '../src/queue/queue-time.ts';
import type { RotationRun } from '../src/rotation/context/rotation-view.ts';
import { type Outcome, rotate } from '../src/rotation/rotate.ts';

/** How long to wait before checking again whether the policy of an open rotation is there. */
const ORPHANED_MS = { shortest: 1_000, longest: 60_000 };

export interface RotateParts {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** The clock that an outcome's `until` is read by. Left out: this machine's. */
  readonly clock?: Clock;
  readonly isConfigured: (policy: string) => boolean;
  /** Whether the configuration was edited since this worker read it. */
  readonly isEdited: () => boolean;
  /**
   * Takes over what was edited in the configuration. Returns whether what its files say is in
   * force.
   */
  readonly refresh: () => Promise<boolean>;
  /** Where this worker runs, and the configuration that it reads. */
  readonly place: { readonly host: string; readonly config: string };
  readonly openRun: (rotation: Rotation) => Promise<RotationRun & AsyncDisposable>;
  /**
   * Called when a rotation has ended, done or not, with its policy's name and the rotation that
   * replaces it, if any.
   */
  readonly onSettled: (policy: string, replacement?: Rotation) => Promise<void>;
}

/** Runs one rotation as far as it goes, then delays the job until it wants to run again. */
export function rotateJob(parts: RotateParts) {
  const { ledger, log, clock, isConfigured, openRun, onSettled } = parts;
  return async (job: QueueJob, token: string): Promise<void> => {
    const rotation = await ledger.find(job.data.rotation ?? '');
    if (rotation?.status !== 'open') return;
    const told = { rotation: rotation.id, policy: rotation.policy };
    // A command may know a policy, or where it is published, before the worker has looked at its
    // edited files.
    const isAsked = parts.isEdited() || !isConfigured(rotation.policy);
    const isInForce = isAsked ? await parts.refresh() : true;
    if (!isConfigured(rotation.policy)) {
      await job.moveToDelayed(toQueueTime(await leave(parts, rotation, isInForce), clock), token);
      throw new DelayedError();
    }
    await using context = await openRun(rotation);
    const outcome = await rotate(context);
    for (const { step, fact } of context.warnings) {
      logFact(log, 'warn', fact, { ...told, step });
    }
    logOutcome(log, context, outcome);
    if ('until' in outcome) {
      await job.moveToDelayed(toQueueTime(outcome.until, clock), token);
      // Whoever turned it meanwhile hurried a job that ran, which does nothing.
      if (await isTurned(ledger, context.rotation)) await job.promote().catch(() => {});
      throw new DelayedError();
    }
    return onSettled(rotation.policy, outcome.status === 'failed' ? outcome.replacedBy : undefined);
  };
}

/**
 * Leaves a rotation whose policy this worker lacks to another, and says so. Returns when somebody
 * looks again: soon at first, because another worker may have the policy.
 */
async function leave(
  { ledger, log, clock = systemClock, place }: RotateParts,
  rotation: Rotation,
  isInForce: boolean,
): Promise<number> {
  const { id, policy, outgoing } = rotation;
  const told = { rotation: id, policy };
  const age = Math.abs(clock.now() - rotation.requestedAt.getTime());
  if (rotation.incoming !== null) {
    logFact(log, 'error', fact('policy-removed', { policy, outgoing }), told);
    return clock.now() + ORPHANED_MS.longest;
  }
  const lacking = fact('worker-lacks-policy', { policy, ...place, isRefused: !isInForce });
  const isNews = await ledger.warn(rotation, 'check', lacking, `${place.host} ${place.config} ${isInForce}`);
  const isLasting = age >= ORPHANED_MS.longest;
  logFact(log, isLasting ? 'error' : isNews ? 'warn' : 'debug', lacking, told);
  return clock.now() + Math.min(ORPHANED_MS.longest, Math.max(ORPHANED_MS.shortest, age / 2));
}

/** Whether somebody made an emergency of it, or turned it round, while this run was under way. */
async function isTurned(ledger: Ledger, { id, reason, rolledBackBy }: Rotation): Promise<boolean> {
  const row = await ledger.find(id);
  return row?.status === 'open' && (row.reason !== reason || row.rolledBackBy !== rolledBackBy);
}

function logOutcome(log: Logger, { rotation }: RotationRun, outcome: Outcome): void {
  const { id, policy, incoming, outgoing } = rotation;
  const told = { rotation: id, policy };
  switch (outcome.status) {
    case 'done':
      log.info({ ...told, incoming, outgoing }, 'rotated');
      break;
    case 'rolled back':
      log.warn({ ...told, incoming, outgoing }, 'rolled back');
      break;
    case 'failed':
      log.error(
        {
          ...told,
          step: outcome.error.step,
          code: outcome.error.fact.code,
          ...(outcome.replacedBy && { replacedBy: outcome.replacedBy.id }),
        },
        `rotation failed: ${tellError(outcome.error)}`,
      );
      break;
    case 'retrying':
      // Each fault is logged as an error once. `keyturn status` goes on showing it.
      log[outcome.isNews ? 'error' : 'debug'](
        { ...told, step: outcome.error.step, code: outcome.error.fact.code },
        `the rotation is stuck and will be retried: ${tellError(outcome.error)}`,
      );
      break;
    case 'waiting':
      logFact(log, 'debug', outcome.fact, told);
      break;
  }
}
