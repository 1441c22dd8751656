import { randomUUID } from 'node:crypto';
import type { Rotation } from '../ledger/rotation.ts';
import { advance, StepError } from './advance.ts';
import { backoff, isTransient } from './failure.ts';
import { PasswordRefused } from './password-refused.ts';
import { recount } from './recount.ts';
import { holdsAny, type RotationContext } from './rotation-context.ts';
import { endUnset } from './rotator-steps/end-unset.ts';
import type { Wait } from './step.ts';
import { Superseded } from './superseded.ts';
import { standDown, takeBack } from './take-back.ts';

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
  | { readonly status: 'waiting'; readonly until: number; readonly reason: string }
  | {
      readonly status: 'retrying';
      readonly until: number;
      readonly error: StepError;
      /** Whether it is another fault than the last time, if there was one. */
      readonly isNews: boolean;
    };

/**
 * Runs a rotation on and settles what comes of it. Before publish a failure ends the rotation and takes back what
 * was staged; after it, a failure is retried until revoke is done (G5). Throws only what is no fault of a step,
 * such as a ledger that cannot be reached.
 *
 * A rotation makes one password (G4), so where PostgreSQL refuses it twice, another rotation takes its place at once.
 * One that is such a replacement itself has none: then it is not the password.
 */
export async function rotate(context: RotationContext): Promise<Outcome> {
  const { ledger, clock, policy } = context;
  await recount(context);
  const { id, requestedAt, lastError } = context.rotation;
  try {
    const wait = await advanceTwice(context);
    if (wait) return { status: 'waiting', until: wait.until, reason: wait.reason };
    return await settle(context);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    // The next run finds out what became of it.
    if (error.cause instanceof Superseded) {
      return { status: 'waiting', until: clock.now(), reason: error.message };
    }
    const isNews = error.message !== lastError;
    const { attempts } = await ledger.failed(id, error.step, error.message);
    const again = isTransient(error.cause) && clock.now() - requestedAt.getTime() < policy.retryFor;
    if (again || context.rotation.rolledBackTo !== null || (await mayBePublished(context))) {
      return { status: 'retrying', until: clock.now() + backoff(attempts), error, isNews };
    }
    if (policy.type === 'rotator') {
      // What cannot be found out is as good as set: discarding the only way in would be worse than trying again.
      const ended = await endUnset(context).catch(() => undefined);
      if (!ended) return { status: 'retrying', until: clock.now() + backoff(attempts), error, isNews };
      context.rotation = ended;
      return { status: 'failed', error };
    }
    await takeBack(context);
    await standDown(context);
    if (error.cause instanceof PasswordRefused && context.rotation.replaces === null) {
      const replacedBy = await ledger.replace(id, randomUUID());
      context.rotation = (await ledger.find(id)) ?? context.rotation;
      if (replacedBy) return { status: 'failed', error, replacedBy };
    }
    context.rotation = await ledger.finish(id, 'failed');
    return { status: 'failed', error };
  }
}

/** Where PostgreSQL refuses the password that was set, somebody may just have altered the login: it is set again, once. */
async function advanceTwice(context: RotationContext): Promise<Wait | undefined> {
  try {
    return await advance(context);
  } catch (error) {
    if (!(error instanceof StepError && error.cause instanceof PasswordRefused)) throw error;
    await context.ledger.failed(context.rotation.id, error.step, error.message);
    context.forget();
    return advance(context);
  }
}

/** Ends a rotation of which every step is done. One that was rolled back has not done what it was for. */
async function settle(context: RotationContext): Promise<Outcome> {
  const { id, rolledBackBy } = context.rotation;
  if (rolledBackBy === null) {
    context.rotation = await context.ledger.finish(id, 'done');
    return { status: 'done' };
  }
  await takeBack(context);
  context.rotation = await context.ledger.finish(id, 'failed', `rolled back by ${rolledBackBy}`);
  return { status: 'rolled back' };
}

/**
 * Whether any secret has this rotation's version as current, or cannot be asked once publish has begun. Once all had
 * it, the primary decides: where somebody else changed that, the rotation has nothing to go on with.
 */
async function mayBePublished(context: RotationContext): Promise<boolean> {
  const events = await context.ledger.events([context.rotation.id]);
  if (!events.some(({ step }) => step === 'publish')) return false;
  const { publishedAt } = context.rotation;
  try {
    for (const destination of publishedAt ? context.destinations.slice(0, 1) : context.destinations) {
      if (await holdsAny(context, destination)) return true;
    }
    return false;
  } catch {
    return true;
  }
}
