import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import type { Policy } from '../config/policy.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { RotationOpenError } from '../ledger/rotation-open-error.ts';
import type { Io } from './io.ts';
import { requester } from './requester.ts';

/** Opens a rotation, or returns the error that names the one that is open. */
export async function requestRotation(
  io: Io,
  app: App,
  policy: Policy,
  { emergency, adopt = false }: { readonly emergency?: true; readonly adopt?: boolean },
): Promise<Rotation | RotationOpenError> {
  const ledger = await app.ledger();
  try {
    const rotation = await ledger.request({
      id: randomUUID(),
      policy: policy.name,
      reason: emergency ? 'emergency' : 'manual',
      requestedBy: requester(io),
      adopt,
    });
    if (!rotation) throw new Error(`The ledger opened no rotation of ${policy.name}`);
    return rotation;
  } catch (error) {
    if (error instanceof RotationOpenError) return error;
    throw error;
  }
}

/** How long an open rotation holds the next one back: the grace, and what its drain still needs. */
export function heldUntil(policy: Policy, { rotation }: RotationOpenError): string {
  if (policy.type === 'rotator') return '';
  const { timeout, onTimeout } = policy.drain;
  if (!rotation?.publishedAt || onTimeout !== 'terminate') return '';
  return `; it drains until ${new Date(rotation.publishedAt.getTime() + timeout).toISOString()} at the latest`;
}
