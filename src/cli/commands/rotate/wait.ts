import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../../../app.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Rotation, StepName } from '../../../ledger/rotation.ts';
import { stepsOf } from '../../../rotation/steps.ts';
import { interrupted } from '../../interrupted.ts';
import type { Io } from '../../io.ts';
import { showProgress } from '../../output/progress.ts';
import { heldUntil, isOpenAlready, requestRotation } from '../../request-rotation.ts';
import { watchRotations } from '../../watch-rotations.ts';
import { EMERGENCY_TIMEOUT_MS, type RotateOptions } from './options.ts';
import { rotateByWorker } from './rotate-by-worker.ts';
import { rotateHere } from './rotate-here.ts';
import { tellEnd } from './tell-end.ts';
import { untilStuck } from './until-stuck.ts';
import { untilUnknown } from './until-unknown.ts';

const FREE_POLL_MS = 500;

/** Opens rotations, as soon as the open ones have ended, and follows them to their end. */
export async function requestAndWait(
  io: Io,
  app: App,
  policies: readonly Policy[],
  options: RotateOptions,
): Promise<void> {
  const { emergency, json } = options;
  const timeout = options.timeout ?? (emergency ? EMERGENCY_TIMEOUT_MS : undefined);
  const ledger = await app.ledger();
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const stopped = interrupted().then(() => 'interrupted' as const);
  const expired = expiry(timeout, signal);
  const watched = { rotations: [] as Rotation[], complete: false };
  const work = async () => {
    await Promise.all(
      policies.map(async (policy) => {
        const rotation = await requestWhenFree(io, app, policy, options, signal);
        if (!rotation) return;
        watched.rotations.push(rotation);
        await start(app, rotation, options, signal);
      }),
    );
    watched.complete = true;
  };
  // Waiting ends when an inline rotation cannot continue. One that continues is followed in the
  // ledger.
  const all = Promise.all([
    work(),
    showProgress(io, watchRotations(ledger, watched, signal), stepNames(app)),
  ]);
  const names = policies.map(({ name }) => name);
  const stuck = emergency ? untilStuck(ledger, names, signal) : new Promise<never>(() => {});
  const unknown = untilUnknown(ledger, () => watched.rotations, { signal });
  const ended = all.then(() => 'done' as const);
  const end = await Promise.race([ended, stopped, expired, stuck, unknown]).finally(() => giveUp.abort());
  await all.catch(() => {});
  const ids = watched.rotations.map(({ id }) => id);
  await tellEnd(io, ledger, { policies, ids, end, json, hasWorker: !options.inline });
}

/** Resolves when the time is up; without a timeout never. */
function expiry(timeout: number | undefined, signal: AbortSignal): Promise<'expired' | 'done'> {
  if (timeout === undefined) return new Promise(() => {});
  return sleep(timeout, 'expired' as const, { ref: false, signal }).catch(() => 'done');
}

function stepNames(app: App): (rotation: Rotation) => readonly StepName[] {
  return (rotation) => stepsOf({ policy: app.policy(rotation.policy), rotation }).map(({ name }) => name);
}

/** Runs a rotation in this process, or has a worker run it. */
async function start(
  app: App,
  rotation: Rotation,
  options: RotateOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.inline) await rotateHere(app, rotation.id, signal);
  else if (options.helps) await rotateByWorker(app, rotation, signal);
  else await (await app.queue()).enqueue(rotation);
}

/**
 * Opens a rotation as soon as the open one has ended. Returns undefined if the signal is aborted
 * before.
 */
async function requestWhenFree(
  io: Io,
  app: App,
  policy: Policy,
  options: RotateOptions,
  signal: AbortSignal,
): Promise<Rotation | undefined> {
  let told: string | undefined;
  while (!signal.aborted) {
    const answer = await requestRotation(app, policy, options);
    if (!isOpenAlready(answer)) return answer;
    const { rotation } = answer.fact.params;
    if (rotation && told !== rotation.id) {
      told = rotation.id;
      // Without a worker, no other process would run it.
      const how = options.inline ? 'goes on with' : 'waits for';
      io.stderr.write(
        `${policy.name}: ${how} rotation ${rotation.id}, which is open${heldUntil(policy, answer)}\n`,
      );
      if (options.inline) await rotateHere(app, rotation.id, signal);
    }
    await sleep(FREE_POLL_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}
