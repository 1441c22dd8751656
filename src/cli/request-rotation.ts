import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import type { Policy } from '../config/policy.ts';
import type { Fact } from '../facts/fact.ts';
import { type Fault, isFault } from '../facts/fault.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Io } from './io.ts';
import { requester } from './requester.ts';

/** A fault that names the rotation that is open. */
export type OpenAlready = Fault & { readonly fact: Fact<'rotation-open-already'> };

export function isOpenAlready(answer: unknown): answer is OpenAlready {
  return isFault(answer, 'rotation-open-already');
}

/** Opens a rotation, or returns the fault that names the one that is open. */
export async function requestRotation(
  io: Io,
  app: App,
  policy: Policy,
  { emergency, adopt = false }: { readonly emergency?: true; readonly adopt?: boolean },
): Promise<Rotation | OpenAlready> {
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
    if (isOpenAlready(error)) return error;
    throw error;
  }
}

/** How long an open rotation holds the next one back: the grace, and what its drain still needs. */
export function heldUntil(policy: Policy, { fact }: OpenAlready): string {
  if (policy.type === 'rotator') return '';
  const { timeout, onTimeout } = policy.drain;
  const publishedAt = fact.params.rotation?.publishedAt;
  if (!publishedAt || onTimeout !== 'terminate') return '';
  return `; it drains until ${new Date(Date.parse(publishedAt) + timeout).toISOString()} at the latest`;
}
