import { randomUUID } from 'node:crypto';
import { backoff } from '../backoff.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { isFault } from '../facts/fault.ts';
import { isNoWayForward } from '../facts/transient.ts';
import { isSameFact } from '../ledger/fact-json.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { superseded } from '../ledger/superseded.ts';
import { advance, StepError } from './advance.ts';
import { holdsAny } from './context/holds.ts';
import type { RotationRun } from './context/rotation-view.ts';
import { discardStaged, endAndDiscard, isNoRival } from './end-and-discard.ts';
import { isTransient } from './failure.ts';
import { recount } from './recount.ts';
import { endUnset } from './rotator-steps/end-unset.ts';
import { isLocked } from './server-fault.ts';
import type { Wait } from './step.ts';
import { Unwritten } from './unwritten.ts';

/** The longest time between two tries of a rotation, in milliseconds. */
const LONGEST_RETRY_MS = 60_000;

/** Where a run through the steps ended. `until` is milliseconds since the epoch: run again then. */
export type Outcome =
  | { readonly status: 'done' }
  | { readonly status: 'rolled back' }
  | {
      readonly status: 'failed';
      readonly error: StepError;
      /** The rotation that was opened in its place, to be run at once. */
      readonly replacedBy?: Rotation;
    }
  | { readonly status: 'waiting'; readonly until: number; readonly fact: Fact }
  | {
      readonly status: 'retrying';
      readonly until: number;
      readonly error: StepError;
      /** Whether it is another fault than the last time, if there was one. */
      readonly isNews: boolean;
    };

/**
 * Runs a rotation and handles the result. Before publish a failure ends the rotation and discards
 * what was staged; after publish it is retried until revoke is done (G5). Throws only faults
 * outside of the steps, such as a ledger that cannot be reached.
 *
 * A rotation makes one password (G4), so where PostgreSQL refuses it twice, or the store has an
 * older one under its token, another rotation takes its place at once. A replacement is not
 * replaced again: then the password is not the cause.
 */
export async function rotate(context: RotationRun): Promise<Outcome> {
  try {
    return await runOn(context);
  } catch (error) {
    if (!isFault(error, 'rotation-superseded')) throw error;
    await discardIfOver(context);
    // The next run reads what has become of it.
    return { status: 'waiting', until: context.clock.now(), fact: error.fact };
  }
}

async function runOn(context: RotationRun): Promise<Outcome> {
  await recount(context);
  const unwritten = new Unwritten(context);
  try {
    const wait = await advanceTwice(context, unwritten);
    if (wait) return { status: 'waiting', until: wait.until, fact: wait.fact };
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    if (isFault(error.cause, 'rotation-superseded')) throw error.cause;
    await unwritten.write();
    return fail(context, error);
  }
  return settle(context, unwritten);
}

/**
 * A worker that lost the lock while it was stopped may have staged for a rotation that is over by
 * now.
 */
async function discardIfOver(context: RotationRun): Promise<void> {
  const now = await context.ledger.find(context.rotation.id).catch(() => undefined);
  if (now && now.status !== 'open') await discardStaged(context);
}

/** Decides whether a rotation whose step threw is tried again or ended. */
async function fail(context: RotationRun, error: StepError): Promise<Outcome> {
  const { ledger, clock, policy } = context;
  const { requestedAt, lastFault, replaces } = context.rotation;
  const isNews = !isSameFact(error.fact, lastFault);
  const { attempts } = await ledger.failed(context.rotation, error.step, error.fact);
  const retry = () =>
    ({
      status: 'retrying',
      until: clock.now() + backoff(attempts, LONGEST_RETRY_MS),
      error,
      isNews,
    }) as const;
  if (isTransient(error.cause) && clock.now() - requestedAt.getTime() < policy.retryFor) return retry();
  if (policy.type === 'rotator') {
    if (await mayBePublished(context)) return retry();
    // If unsure, treat the password as set: discarding the only way in would be worse than a retry.
    const ended = await endUnset(context).catch(rethrowSuperseded);
    if (!ended) return retry();
    context.follow(ended);
    return { status: 'failed', error };
  }
  const isReplaced = isFault(error, 'password-refused', 'staged-version-retired') && replaces === null;
  const ended = await endAndDiscard(
    context,
    async () => {
      if (await mustGoOn(context, error)) return undefined;
      if (!isReplaced) return { row: await ledger.finish(context.rotation, 'failed') };
      const replacedBy = await ledger.replace(context.rotation, randomUUID());
      if (!replacedBy) throw superseded(context.rotation.id);
      return { row: await ledger.find(context.rotation.id), replacedBy };
    },
    isNoRival,
  ).catch(nothingIfLocked);
  if (!ended) return retry();
  if (ended.row) context.follow(ended.row);
  return { status: 'failed', error, ...(ended.replacedBy && { replacedBy: ended.replacedBy }) };
}

function rethrowSuperseded(error: unknown): undefined {
  if (isFault(error, 'rotation-superseded')) throw error;
  return undefined;
}

/** Whoever holds the lock may be running this rotation, so it stays open and is tried again. */
function nothingIfLocked(error: unknown): undefined {
  if (isLocked(error)) return undefined;
  throw error;
}

/**
 * Whether a rotation goes on although a step failed: it may be published, or is on its way back.
 */
async function mustGoOn(context: RotationRun, error: StepError): Promise<boolean> {
  const { reason, rolledBackTo } = context.rotation;
  const isLost = isNoWayForward(error);
  if (rolledBackTo !== null) return !isLost;
  return !(isLost && reason === 'emergency') && (await mayBePublished(context));
}

/**
 * Where PostgreSQL refuses the password that was set, somebody may just have altered the login: it
 * is set again, once.
 */
async function advanceTwice(context: RotationRun, unwritten: Unwritten): Promise<Wait | undefined> {
  try {
    return await advance(context, unwritten);
  } catch (error) {
    if (!(error instanceof StepError && isFault(error, 'password-refused'))) throw error;
    await unwritten.write();
    await context.ledger.failed(context.rotation, error.step, error.fact);
    return advance(context, unwritten);
  }
}

/** Ends a rotation whose steps are all done. One that was rolled back counts as failed. */
async function settle(context: RotationRun, unwritten: Unwritten): Promise<Outcome> {
  const { rolledBackBy } = context.rotation;
  if (rolledBackBy === null) {
    await unwritten.end({ status: 'done' });
    return { status: 'done' };
  }
  await unwritten.end({ status: 'failed', fact: fact('rotation-rolled-back', { by: rolledBackBy }) });
  await discardStaged(context);
  return { status: 'rolled back' };
}

/**
 * Whether any secret has this rotation's version as current; also if a store cannot be read after
 * publish has begun. Once all secrets had it, only the primary counts: if somebody replaced that,
 * the rotation cannot go on.
 */
async function mayBePublished(context: RotationRun): Promise<boolean> {
  const { publishedAt } = context.rotation;
  try {
    for (const destination of publishedAt ? context.destinations.slice(0, 1) : context.destinations) {
      if (await holdsAny(context, destination)) return true;
    }
    return false;
  } catch {
    // Read again: the step may have begun after this run read its row.
    const row = await context.ledger.find(context.rotation.id);
    return (row ?? context.rotation).publishBegunAt !== null;
  }
}
