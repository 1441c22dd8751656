import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import type { Policy } from '../config/policy.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { type Fault, fault, isFault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { tell } from '../messages/tell.ts';
import type { Io } from './io.ts';
import { type ReasonOption, requester } from './requester.ts';

/** A fault that names the open rotation. */
export type OpenAlready = Fault & { readonly fact: Fact<'rotation-open-already'> };

export function isOpenAlready(answer: unknown): answer is OpenAlready {
  return isFault(answer, 'rotation-open-already');
}

/**
 * Opens a rotation, or returns the fault that names the open one. `goesOn`: the id of one that the
 * ledger has lost.
 */
export async function requestRotation(
  app: App,
  policy: Policy,
  {
    emergency,
    adopt = false,
    goesOn,
    reason,
  }: ReasonOption & {
    readonly emergency?: true;
    readonly adopt?: boolean;
    readonly goesOn?: string;
  },
): Promise<Rotation | OpenAlready> {
  const ledger = await app.ledger();
  try {
    const rotation = await ledger.request({
      id: goesOn ?? randomUUID(),
      policy: policy.name,
      reason: emergency ? 'emergency' : 'manual',
      ...requester(reason === undefined ? {} : { reason }),
      adopt,
    });
    if (!rotation) throw new Error(`The ledger opened no rotation of ${policy.name}`);
    return rotation;
  } catch (error) {
    if (isOpenAlready(error)) return error;
    throw error;
  }
}

/** Says until when an open rotation may delay the next one. It is empty if that has no limit. */
export function heldUntil(policy: Policy, { fact }: OpenAlready): string {
  if (policy.type === 'rotator') return '';
  const { timeout, onTimeout } = policy.drain;
  const publishedAt = fact.params.rotation?.publishedAt;
  if (!publishedAt || onTimeout !== 'terminate') return '';
  return `; it drains until ${new Date(Date.parse(publishedAt) + timeout).toISOString()} at the latest`;
}

/** The open rotation of a policy. Throws if there is none, or no such policy. */
export async function openRotation(app: App, name: string): Promise<Rotation> {
  const ledger = await app.ledger();
  const [rotation] = await ledger.open(app.policy(name).name);
  if (!rotation) throw fault('no-open-rotation', { policy: name }, { remedies: [command('history', name)] });
  return rotation;
}

/** Says on stderr that the rotation waits for a worker, and that none is up. */
export function tellNoWorker(io: Io): void {
  io.stderr.write(`keyturn: ${tell(fact('no-worker', {}, command('start')))}\n`);
}
