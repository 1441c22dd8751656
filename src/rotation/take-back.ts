import { disableLogin } from '../postgres/login.ts';
import { withPolicyLock } from '../postgres/policy-lock.ts';
import { publisherOf } from './publisher-of.ts';
import type { RotationContext } from './rotation-context.ts';

/**
 * Discards what a rotation staged. What cannot be taken back now is recognized by its token, and taken back, by the
 * next rotation.
 */
export async function takeBack(context: RotationContext): Promise<void> {
  for (const destination of context.destinations) {
    await destination.store.discard(destination.secrets, context.rotation.id).catch(() => {});
  }
}

/** Shuts the incoming login of a rotation that has ended before publish. It may wait: the next rotation sets it anew. */
export async function standDown(context: RotationContext): Promise<void> {
  try {
    await withPolicyLock(await context.rotator(), context.policy.logins, () => shutIncoming(context));
  } catch {
    // The database is away, which may be why the rotation failed.
  }
}

/**
 * Shuts the incoming login where the rotation has given it a password, which nobody will use. A login that it has not
 * touched stays as it was. Needs the policy's lock.
 */
export async function shutIncoming(context: RotationContext): Promise<void> {
  const { id, incoming } = context.rotation;
  const isSet = (await context.ledger.events([id])).some(({ step }) => step === 'set');
  if (incoming === null || !isSet) return;
  context.forget();
  if (await publisherOf(context, incoming)) return;
  await disableLogin(await context.rotator(), incoming);
}
