import { randomUUID } from 'node:crypto';
import type { Rotation } from '../../ledger/rotation.ts';

/** A rotation that no ledger has, to find out what one would do. */
export function hypotheticalRotation(policy: string, now: number): Rotation {
  return {
    id: randomUUID(),
    policy,
    reason: 'manual',
    requestedBy: 'nobody',
    requestedAt: new Date(now),
    slot: null,
    status: 'open',
    incoming: null,
    outgoing: null,
    publishedAt: null,
    finishedAt: null,
    rolledBackBy: null,
    rolledBackTo: null,
    adopt: false,
    replaces: null,
    attempts: 0,
    lastFault: null,
    setBegunAt: null,
    publishBegunAt: null,
    replicasBehindSince: null,
    outgoingShutAt: null,
    lastLookAt: null,
  };
}
