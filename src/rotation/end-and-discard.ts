import { isFault } from '../facts/fault.ts';
import { disableLogin } from '../postgres/logins/login.ts';
import type { OpenDestination } from './context/policy-view.ts';
import { publisherOf } from './context/publisher-of.ts';
import { areOfPolicy } from './context/rotation-logins.ts';
import type { RotationRun } from './context/rotation-view.ts';
import { isLocked } from './server-fault.ts';

/**
 * Discards what a rotation staged. If a store is away now, a worker tries it again later; and the
 * next rotation recognizes the version by its token and discards it.
 */
export async function discardStaged(context: RotationRun): Promise<void> {
  const { destinations, ledger, rotation } = context;
  if (!(await discardEverywhere(destinations, rotation.id))) return;
  // Else it is discarded once more, which does nothing.
  await ledger.retention.discarded(rotation.id).catch(() => {});
}

/** Discards a rotation's version at every destination. Returns whether all of them answered. */
export async function discardEverywhere(
  destinations: readonly OpenDestination[],
  rotation: string,
): Promise<boolean> {
  let isDiscarded = true;
  for (const { store, secrets } of destinations) {
    await store.discard(secrets, rotation).catch(() => {
      isDiscarded = false;
    });
  }
  return isDiscarded;
}

/**
 * Ends a rotation with `end`, shuts its incoming login and discards what it staged, under the
 * policy's lock. A worker that was stopped, and wakes up when its rotation is over, changes
 * nothing. If `end` returns undefined the rotation goes on, and nothing is changed.
 *
 * If the lock cannot be taken, `mayGoWithout` decides by the error whether to go on without it. The
 * login then stays as it is: the next rotation sets it anew.
 */
export async function endAndDiscard<Ended>(
  context: RotationRun,
  end: () => Promise<Ended | undefined>,
  mayGoWithout: (fault: unknown) => boolean,
): Promise<Ended | undefined> {
  let ended: Ended | undefined = undefined as Ended | undefined;
  try {
    await context.underLock(async () => {
      ended = await end();
      if (ended) await shutIncoming(context);
    });
  } catch (fault) {
    if (!ended) {
      if (!mayGoWithout(fault)) throw fault;
      ended = await end();
    }
  }
  if (ended) await discardStaged(context);
  return ended;
}

/**
 * Whether a rotation that failed may end without the policy's lock: not while somebody else holds
 * it.
 */
export function isNoRival(fault: unknown): boolean {
  return !(isFault(fault, 'rotation-superseded') || isLocked(fault));
}

/**
 * Shuts the incoming login if the rotation has given it a password that nobody can have read yet. A
 * login that it has not touched stays as it was, and so does one whose version is not pending any
 * more: it was published, and consumers may use it (G2). Needs the policy's lock.
 */
async function shutIncoming(context: RotationRun): Promise<void> {
  // Read again: the step may have begun after this run read its row.
  const { incoming, setBegunAt } = (await context.ledger.find(context.rotation.id)) ?? context.rotation;
  if (incoming === null || setBegunAt === null || !areOfPolicy(context)) return;
  if ((await publisherOf(context, incoming)) || !(await isPending(context))) return;
  await disableLogin(await context.rotator(), incoming);
}

/** Whether any secret has this rotation's version pending. */
async function isPending({ destinations, rotation }: RotationRun): Promise<boolean> {
  for (const { store, secrets } of destinations) {
    for (const [field, name] of Object.entries(secrets)) {
      if ((await store.read({ [field]: name }, 'pending'))?.token === rotation.id) return true;
    }
  }
  return false;
}
