import type { QueryResultRow } from 'pg';
import { readFact } from './fact-json.ts';
import type { Rotation } from './rotation.ts';

/** A rotation as its columns have it. */
export interface RotationRow extends QueryResultRow, Omit<Rotation, 'lastFault'> {
  readonly lastFault: unknown;
  /** What an earlier release wrote in its place. */
  readonly lastError: string | null;
}

/**
 * During an upgrade a worker of the release before may run beside this one. It writes only the
 * history, so that counts too while a rotation is open.
 */
function begunAt(column: string, step: string): string {
  return `CASE WHEN rotation.status = 'open' THEN coalesce(rotation.${column},
    (SELECT pg_catalog.min(line.at) FROM keyturn.event AS line WHERE line.rotation = rotation.id AND line.step = '${step}'))
    ELSE rotation.${column} END`;
}

/**
 * What is read of `keyturn.rotation AS rotation`, under the names that a {@link RotationRow} has.
 */
export const ROTATION_COLUMNS = `rotation.id, rotation.policy, rotation.reason, rotation.requested_by AS "requestedBy",
  rotation.requested_host AS "requestedHost",
  rotation.requested_reason AS "requestedReason", rotation.requested_at AS "requestedAt", rotation.slot, rotation.status, rotation.incoming, rotation.outgoing,
  rotation.published_at AS "publishedAt", rotation.finished_at AS "finishedAt",
  rotation.rolled_back_by AS "rolledBackBy", rotation.rolled_back_to AS "rolledBackTo", rotation.adopt,
  rotation.replaces, rotation.attempts, rotation.last_fault AS "lastFault", rotation.last_error AS "lastError",
  ${begunAt('set_begun_at', 'set')} AS "setBegunAt", ${begunAt('publish_begun_at', 'publish')} AS "publishBegunAt",
  rotation.replicas_behind_since AS "replicasBehindSince", rotation.outgoing_shut_at AS "outgoingShutAt",
  rotation.last_look_at AS "lastLookAt"`;

export function toRotation({ lastFault, lastError, ...rest }: RotationRow): Rotation {
  return { ...rest, lastFault: readFact(lastFault, lastError) };
}
